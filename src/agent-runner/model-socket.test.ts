import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startRehearsalModel } from '../../rehearsal/model.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { runAtSocket } from '../../test/support/cli-at-socket.ts';
import { gatewayForTest, temporaryFolder } from '../../test/support/gateway.ts';
import { needs } from '../../test/support/requirements.ts';
import { forwarderEnvironment, writeForwarder } from './model-forwarder.ts';
import { checkModelSocket } from './model-socket.ts';

const cli = needs('cli');
const path = process.env.PATH!;

function pinnedCli(): string {
  const require = createRequire(import.meta.url);
  const name = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}/package.json`;
  return join(dirname(require.resolve(name)), 'claude');
}

/** A program in place of the CLI. */
async function program(lines: string): Promise<string> {
  const file = join(await temporaryFolder('gw-cli-'), 'claude');
  await writeFile(file, `#!/bin/sh\n${lines}\n`);
  await chmod(file, 0o755);
  return file;
}

describe.skipIf(!cli.ok)(cli.title('the way to the socket'), () => {
  test('the pinned CLI takes the socket', async () => {
    expect(await checkModelSocket({ cli: pinnedCli(), path })).toEqual({ kind: 'socket', seen: true });
  });

  test('a CLI that knows the variable no more takes the forwarder', async () => {
    const later = await program(`unset ANTHROPIC_UNIX_SOCKET\nexec '${pinnedCli()}' "$@"`);
    expect(await checkModelSocket({ cli: later, path })).toMatchObject({
      kind: 'forwarder',
      why: expect.stringContaining('ANTHROPIC_UNIX_SOCKET does nothing'),
    });
  });

  test('a program that is no CLI is named, with what it said and the remedy', async () => {
    const other = await program('echo I am no CLI >&2\nexit 3');
    const check = await checkModelSocket({ cli: other, path });
    expect(check).toMatchObject({ kind: 'none', why: expect.stringMatching(/I am no CLI.*Use the CLI/) });
  });

  test('a build whose loader is not on this machine is taken on trust, a file that is not there is not', async () => {
    const folder = await temporaryFolder('gw-cli-');
    const other = join(folder, 'claude');
    await writeFile(other, '#!/lib/ld-of-another-system.so.1\n');
    await chmod(other, 0o755);
    expect(await checkModelSocket({ cli: other, path })).toEqual({ kind: 'socket', seen: false });
    expect(await checkModelSocket({ cli: join(folder, 'missing'), path })).toMatchObject({ kind: 'none' });
  });

  test('the forwarder carries a whole run through the gateway: tools, an error, a cut stream, a resume', async () => {
    const model = await startRehearsalModel({
      script: parseModelScript(
        `
scenes:
  - name: first
    when: { prompt: begin }
    steps:
      - tools: [{ name: Bash, input: { command: 'echo options=$BUN_OPTIONS. socket=$CLAUDE_HOOKS_MODEL_SOCKET.' } }]
        faults: [{ error: { status: 529 } }]
      - text: 'It said {{ last_tool_result }} and that is all of it.'
        faults: [{ disconnect: { after: half } }]
  - name: second
    when: { prompt: again, history: options }
    steps: [{ text: I remember. }]
`,
        'forwarded.yaml',
      ),
    });
    onTestFinished(() => model.close());
    const at = await gatewayForTest({ baseUrl: model.url });
    const open = await at.open();
    const home = await temporaryFolder('gw-home-');
    const script = await writeForwarder(await temporaryFolder('gw-script-'));
    const env = {
      ...forwarderEnvironment({ ANTHROPIC_UNIX_SOCKET: open.socketPath }, script),
      ANTHROPIC_UNIX_SOCKET: undefined,
    };
    const run = (prompt: string, resume?: string) =>
      runAtSocket({
        home,
        socket: open.socketPath,
        prompt,
        env,
        ...(resume === undefined ? {} : { options: { resume } }),
      });
    const first = await run('begin');
    expect(first.result).toMatchObject({
      is_error: false,
      result: 'It said options=. socket=. and that is all of it.',
    });
    expect(first.retries[0]).toBe(529);
    expect((await run('again', first.session)).result).toMatchObject({ result: 'I remember.' });
    expect(await open.close()).toMatchObject({ requests: model.requests.length, refused: 0 });
    expect((await at.rows()).map((r) => r.outcome)).toEqual([
      'refused',
      'answered',
      'failed',
      'answered',
      'answered',
    ]);
  });
});

const BUBBLEWRAP: string = 'bwrap';
const bubblewrap = needs('cli', 'bubblewrap');
describe.skipIf(!bubblewrap.ok)(bubblewrap.title('in a sandbox without a network'), () => {
  test.for(['socket', 'forwarder'])('the %s reaches the model', async (way) => {
    const model = await startRehearsalModel({
      script: parseModelScript(
        `
fallback: { text: '{{ last_tool_result }}' }
scenes:
  - name: look
    steps:
      - tools: [{ name: Bash, input: { command: 'cat /proc/net/dev | grep -c :' } }]
      - text: 'interfaces: {{ last_tool_result }}'
`,
        'sandbox.yaml',
      ),
    });
    onTestFinished(() => model.close());
    const open = await (await gatewayForTest({ baseUrl: model.url })).open();
    const home = await temporaryFolder('gw-home-');
    const script = await writeForwarder(await temporaryFolder('gw-script-'));
    const forwarded = forwarderEnvironment({ ANTHROPIC_UNIX_SOCKET: open.socketPath }, script);
    const ran = await runAtSocket({
      home,
      socket: open.socketPath,
      prompt: 'look around',
      env: way === 'socket' ? {} : { ...forwarded, ANTHROPIC_UNIX_SOCKET: undefined },
      options: {
        spawnClaudeCodeProcess: ({ command, args, env, cwd }) => {
          const seen = [dirname(open.socketPath), dirname(script)].flatMap((f) => ['--ro-bind', f, f]);
          const inside = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'];
          const alone = ['--unshare-all', '--die-with-parent', '--chdir', cwd!];
          // The checkout of these tests may itself be below /tmp.
          const binary = ['--ro-bind', command, command];
          const sandbox = [...inside, ...binary, '--bind', home, home, ...seen, ...alone];
          return spawn(BUBBLEWRAP, [...sandbox, command, ...args], {
            env,
            stdio: ['pipe', 'pipe', 'ignore'],
          });
        },
      },
    });
    expect(ran.result).toMatchObject({ is_error: false, result: 'interfaces: 1' });
  });
});
