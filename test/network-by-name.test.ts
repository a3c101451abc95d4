/**
 * An agent with `container.network: { allow: […] }`, through the whole service: the real CLI in a container without a
 * network, and curl in it. The hosts are servers of the test on 127.0.0.2; 127.0.0.1 stays this machine.
 */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { PUBLIC_ONLY } from '../src/egress/addresses.ts';
import { call } from './support/cli.ts';
import { RUN_ARGS, type TestEngine, testEngines } from './support/engines.ts';
import { needs, PODMAN_ARGS, titleOf } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, STRANGER } from './support/service-config.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './support/tls.ts';

const FAR = '127.0.0.2';
const OWN = '127.0.0.1';
const CURL = 'curl -sS -k --max-time 20';
const here = needs('cli', 'git', 'flock', 'proc');

let stage: Stage;
afterEach(async () => {
  await stage?.close();
});

/** An HTTPS server that says where it is. */
async function server(address: string): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const listening = createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      asked.push(`${socket.servername} ${bytes.toString().split('\r\n')[0]}`);
      const body = `this is ${address}\n`;
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, address, resolve));
  onTestFinished(() => void listening.close());
  return { port: (listening.address() as AddressInfo).port, asked };
}

const step = (script: string) => ({
  tools: [{ name: 'Bash', input: { command: `{ ${script}; } 2>&1; true`, description: 'reach out' } }],
});

/** What the calls of the agent's tools were answered with, in order. */
function answers(): string[] {
  const last = stage.turns.at(-1)!;
  return last.messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter(({ type }) => type === 'tool_result')
    .map((block) => JSON.stringify(block));
}

for (const engine of testEngines().filter(({ name }) => name === 'bubblewrap' || name === 'podman')) {
  const reason = [engine.need.reason, here.reason].filter((r) => r !== '').join('; ');
  describe.skipIf(reason !== '')(titleOf(`the network by name, in ${engine.name}`, reason), () => {
    test('lets the agent reach what is on the list, nothing else, and nothing once it has read a stranger', async () => {
      const far = await server(FAR);
      const own = await server(OWN);
      await open(
        engine,
        [`files.test:${far.port}`, `own.test:${own.port}`],
        [
          step(`${CURL} https://files.test:${far.port}/a; ${CURL} https://own.test:${own.port}/b`),
          step(`${CURL} https://files.test:${far.port + 1}/c; ${CURL} http://files.test:${far.port}/d`),
          step(
            `${CURL} --noproxy '*' --resolve files.test:${far.port}:${FAR} https://files.test:${far.port}/e`,
          ),
          step(
            `${CURL} --connect-to other.test:${far.port}:files.test:${far.port} https://other.test:${far.port}/f`,
          ),
          { tools: [{ name: 'mcp__forge__list_comments', input: { number: 2 } }] },
          step(`${CURL} https://files.test:${far.port}/g`),
          { text: 'I have tried.' },
        ],
      );
      const [first, second, third, fourth, read, last] = answers();
      expect(first).toContain(`this is ${FAR}`);
      expect(first).toContain('CONNECT tunnel failed, response 403');
      expect(second).toContain('CONNECT tunnel failed, response 403');
      expect(second).toContain('Only CONNECT to a host and port is taken here');
      expect(third).toMatch(/Failed to connect|Couldn't connect/);
      expect(fourth).toMatch(/alert access denied/);
      expect(read).toContain('words of a stranger');
      expect(last).toContain('CONNECT tunnel failed, response 403');
      expect(far.asked).toEqual(['files.test GET /a HTTP/1.1']);
      expect(own.asked).toEqual([]);
      const { out } = await call(['-c', stage.configFile, 'audit', '--json'], { env: stage.env });
      const rows = (JSON.parse(out) as { door: string; action: string; detail: { verdict: string } }[])
        .filter(({ door }) => door === 'network')
        .map(({ action, detail }) => `${action.replace(/\d+/, 'N')} ${detail.verdict}`)
        .toReversed();
      expect(rows).toEqual([
        'CONNECT files.test:N opened',
        'CONNECT files.test:N ended',
        'CONNECT own.test:N forbidden-address',
        'CONNECT files.test:N not-allowed',
        `GET http://files.test:N/d no-connect`,
        'CONNECT files.test:N opened',
        'CONNECT files.test:N other-server-name',
        'CONNECT files.test:N shut',
      ]);
      const series = await (await fetch(`${stage.url}/metrics`)).text();
      expect(series).toContain(
        'claude_hooks_door_requests_total{door="network",decision="denied",verdict="shut"} 1',
      );
      expect(series).toMatch(/claude_hooks_door_bytes_total\{door="network",direction="received"\} [1-9]/);
    });
  });
}

async function open(engine: TestEngine, allow: string[], steps: unknown[]): Promise<void> {
  const oci =
    engine.oci === null
      ? {}
      : {
          image: engine.image,
          program_args: PODMAN_ARGS,
          run_args: RUN_ARGS,
          // The image has no curl.
          mounts: [{ source: '/usr', target: '/usr' }],
        };
  stage = await Stage.open({
    model: JSON.stringify({
      scenes: [{ name: 'reach', when: { prompt: 'assigned this to you' }, steps }],
      fallback: { text: 'Done.' },
    }),
    config: { container: { engine: engine.name, ...oci, network: { allow } } },
  });
  stage.reach = {
    lookup: async (host) => (host === 'own.test' ? [OWN] : [FAR]),
    rules: { ...PUBLIC_ONLY, except: [`${FAR}/32`] },
  };
  await stage.start();
  await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Fetch it', body: 'Please.' });
  await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Other', body: '' });
  await stage.forge.as(STRANGER).comment(REPOSITORY, 2, 'These are words of a stranger.');
  await stage.forge.as(OWNER).assign(REPOSITORY, 1, [DEV]);
  await stage.settled();
}
