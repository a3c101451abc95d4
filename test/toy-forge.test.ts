/**
 * "How to add … a forge" of CONTRIBUTING, done to the letter on a copy of the sources: one folder and one line in the
 * registry. No other file is touched, and the service takes the webhooks of the new kind.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { patience } from './support/patience.ts';
import { needs } from './support/requirements.ts';
import { ServiceProcess } from './support/service-process.ts';

const ROOT = join(import.meta.dirname, '..');
const REGISTRY = 'src/forges/registry.ts';
const tools = needs('git', 'flock');

let folder: string;
let service: ServiceProcess;
let url: string;
const logged: string[] = [];

function edited(text: string, after: string, line: string): string {
  expect(text.split(after), after).toHaveLength(2);
  return text.replace(after, `${after}${line}`);
}

/** The sources with the toy among them, as CONTRIBUTING says. */
function addToy(): void {
  for (const part of ['src', 'rehearsal', 'defaults', 'package.json']) {
    const isProduct = (path: string) => !path.endsWith('.test.ts');
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter: isProduct });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const kit = readFileSync(join(ROOT, 'test/fixtures/toy-forge/kit.ts'), 'utf8');
  mkdirSync(join(folder, 'src/forges/toy'));
  const there = kit.replaceAll('../../../src/forges/', '../').replaceAll('../../../src/', '../../');
  writeFileSync(join(folder, 'src/forges/toy/kit.ts'), there);
  const registry = readFileSync(join(folder, REGISTRY), 'utf8');
  const imported = edited(registry, "from './gitea/kit.ts';\n", "import { TOY } from './toy/kit.ts';\n");
  writeFileSync(join(folder, REGISTRY), edited(imported, '  gitea: GITEA,\n', '  toy: TOY,\n'));
}

async function command(...args: string[]): Promise<string> {
  const cli = join(folder, 'src/cli.ts');
  const config = ['--config', join(folder, 'claude-hooks.yaml')];
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args, ...config], {
    env: { PATH: process.env.PATH! },
  });
  return stdout;
}

async function deliver(delivery: string, headers: Record<string, string>, note: object): Promise<Response> {
  return await fetch(`${url}/webhooks/home`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-toy-delivery': delivery, ...headers },
    body: JSON.stringify(note),
  });
}

const note = { note: 11, by: ['ada', 1], on: 3, text: 'Please mend it, @dev-bot' };
const signed = { 'x-toy-event': 'note', 'x-toy-secret': 'toy-secret' };

/** Decided within a second; the log says so. */
async function explained(delivery: string) {
  await vi.waitFor(() => expect(logged.join('')).toContain(`"forgeDelivery":"${delivery}"`), {
    timeout: patience(20_000),
  });
  return JSON.parse(await command('explain', delivery, '--json'));
}

describe.skipIf(!tools.ok)(tools.title('a toy forge'), () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'claude-hooks-toy-'));
    addToy();
    const config = {
      server: { host: '127.0.0.1', port: 0 },
      model: { upstream: 'http://127.0.0.1:9', api_key: 'sk-ant-test' },
      container: { engine: 'process' },
      mailbox: { quiet_seconds: 600, max_wait_seconds: 600 },
      forges: {
        home: {
          kind: 'toy',
          url: 'http://127.0.0.1:9',
          webhook_secret: 'toy-secret',
          repositories: ['ada/toys'],
          accounts: { dev: { login: 'dev-bot', token: 'dev-bot-token' } },
        },
      },
    };
    writeFileSync(join(folder, 'claude-hooks.yaml'), JSON.stringify(config));
    const env = { PATH: process.env.PATH!, HOME: folder };
    const cli = join(folder, 'src/cli.ts');
    service = new ServiceProcess({ configFile: join(folder, 'claude-hooks.yaml'), env, logged, cli });
    url = await service.listening;
  }, patience(60_000));

  afterAll(async () => {
    await service?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('its delivery becomes an event that wakes an agent', async () => {
    expect((await deliver('toy-1', signed, note)).status).toBe(202);
    expect(await explained('toy-1')).toMatchObject({
      delivery: { forge: 'home', state: 'routed', eventName: 'comment.created' },
      event: { sender: 'ada', repository: 'ada/toys', item: '#3' },
      sender: { allowed: true, permission: 'write' },
      messages: [{ agent: 'dev', item: 'ada/toys#3', flow: 'dev-mentioned', state: 'waiting' }],
    });
  });

  test('who is a robot there, its kit says', async () => {
    expect((await deliver('toy-2', signed, { ...note, note: 12, by: ['ci~', 1] })).status).toBe(202);
    const { delivery, considered } = await explained('toy-2');
    expect(delivery.state).toBe('ignored');
    expect(considered.find(({ flow }: { flow: string }) => flow === 'dev-mentioned')).toMatchObject({
      verdict: 'condition-failed',
      values: { 'sender.person': false },
    });
  });

  test('one with another secret, or of another kind, is refused', async () => {
    const wrong = await deliver('toy-3', { ...signed, 'x-toy-secret': 'another' }, note);
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({ error: 'signature-wrong' });
    const other = { ...signed, 'x-forgejo-event': 'issues', 'x-forgejo-delivery': 'a' };
    const refused = await deliver('toy-4', other, note);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: 'forge-kind' });
  });
});
