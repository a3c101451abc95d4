/** The package as npm makes it: its files alone, with the packages it asks for and none of ours for development. */
import { type ExecFileException, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from './support/requirements.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let folder: string;
let installed: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-package-'));
  installed = join(folder, 'node_modules', 'claude-hooks');
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  const [packed] = Object.values(JSON.parse(execFileSync('npm', pack, { cwd: ROOT, env, encoding: 'utf8' })));
  const paths = (packed as { files: { path: string }[] }).files.map((file) => file.path);
  // What an earlier build left is not what a release builds.
  for (const path of paths.filter((one) => !one.startsWith('dist/'))) {
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    cpSync(join(ROOT, path), join(installed, path));
  }
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(installed, 'dist')]);
  for (const name of Object.keys(MANIFEST.dependencies)) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = () => ({ PATH: process.env.PATH, HOME: folder, TMPDIR: temporary(), SECRET: 'a-word' });
const program = () => join(installed, MANIFEST.bin['claude-hooks']);

function temporary(): string {
  const path = join(folder, 'tmp');
  mkdirSync(path, { recursive: true });
  return path;
}

function run(...args: string[]) {
  return new Promise<{ error: ExecFileException | null; stdout: string; stderr: string }>((resolved) => {
    execFile(process.execPath, [program(), ...args], { env: environment() }, (error, stdout, stderr) =>
      resolved({ error, stdout, stderr }),
    );
  });
}

test('its program says its version; an older Node reads no import before it is refused', async () => {
  expect(await run('--version')).toEqual({ error: null, stdout: `${MANIFEST.version}\n`, stderr: '' });
  expect(readFileSync(program(), 'utf8')).not.toMatch(/^import /m);
});

test('config check finds the agents and flows that are shipped', async () => {
  const file = join(folder, 'claude-hooks.yaml');
  writeFileSync(
    file,
    `model: { api_key: "\${SECRET}" }
forges:
  home: { kind: forgejo, url: "http://127.0.0.1:9", webhook_secret: "\${SECRET}", repositories: [ada/greeter],
          accounts: { dev: { login: dev-bot, token: "\${SECRET}" } } }
`,
  );
  const checked = await run('-c', file, 'config', 'check', '--json');
  expect(checked.error, checked.stderr).toBeNull();
  expect(JSON.parse(checked.stdout)).toMatchObject({ agents: ['dev', 'reviewer'], forges: ['home'] });
});

const whole = needs('cli', 'git', 'flock', 'proc');
describe.skipIf(!whole.ok)(whole.title('demo and serve'), () => {
  test('the demo starts the service, and its attendant clears away', async () => {
    const child = spawn(process.execPath, [program(), 'demo', '--engine', 'process'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    for await (const line of createInterface(child.stdout)) if (line.includes('assigns dev-bot')) break;
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(readdirSync(temporary())).toEqual([]);
  });
});
