/** What a new machine lacks, as the commands say it: one sentence, exit code 1, and nothing is made. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { COMPILED } from '../../test/support/compiled.ts';
import { patience } from '../../test/support/patience.ts';
import { findProgram } from '../container/choose.ts';
import { refusedFile } from './refused-files.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-fresh-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'claude-hooks.yaml'), CONFIG);
});

const CONFIG = JSON.stringify({
  model: { api_key: '${SECRET}' },
  forges: {
    home: {
      kind: 'forgejo',
      url: 'http://127.0.0.1:9',
      webhook_secret: '${SECRET}',
      repositories: ['ada/greeter'],
      accounts: { dev: { login: 'dev-bot', token: '${SECRET}' } },
    },
  },
});

interface As {
  path?: string | undefined;
  uid?: number;
}

function run(command: string, { path = process.env.PATH, uid }: As = {}) {
  const args = [CLI, '-c', join(folder, 'claude-hooks.yaml'), ...command.split(' ')];
  const env = { PATH: path, HOME: folder, TMPDIR: folder, SECRET: 'a-word-of-the-test', ...COMPILED };
  const user = uid === undefined ? {} : { uid, gid: uid };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      args,
      { env, cwd: folder, timeout: patience(60_000), ...user },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test('without git each command that needs it names the package', async () => {
  const path = join(folder, 'bin');
  mkdirSync(path);
  for (const name of ['flock', 'sh']) symlinkSync(findProgram(name, process.env.PATH!)!, join(path, name));
  const commands = ['demo', 'serve', 'doctor', 'rehearsal forge --folder forge'];
  const ends = await Promise.all(commands.map((command) => run(command, { path })));
  for (const [i, { code, stdout, stderr }] of ends.entries()) {
    expect({ code, stdout }, commands[i]).toEqual({ code: 1, stdout: '' });
    expect(stderr, commands[i]).toMatch(
      /^claude-hooks needs git .* there is no git in PATH .*apt-get install git.*\n$/,
    );
  }
  const smoke = await run('smoke --json', { path });
  expect(smoke.code).toBe(1);
  expect(JSON.parse(smoke.stdout).checks).toEqual([
    {
      agent: null,
      check: 'git',
      state: 'missing',
      detail: expect.stringContaining('there is no git in PATH'),
      remedy: expect.stringContaining('apt-get install git'),
    },
  ]);
  expect(readdirSync(folder).sort()).toEqual(['bin', 'claude-hooks.yaml']);
});

test('before the first start, commands that read or write rows make nothing', async () => {
  const commands = ['conversations', 'sessions unmark abc --by ada --because seen', 'replay abc'];
  const ends = await Promise.all(commands.map((command) => run(command)));
  for (const [i, { code, stdout, stderr }] of ends.entries()) {
    expect({ code, stdout }, commands[i]).toEqual({ code: 1, stdout: '' });
    expect(stderr, commands[i]).toMatch(
      /^There is no database at .*claude-hooks\.db: .*`claude-hooks serve`.*\n$/,
    );
  }
  expect(readdirSync(folder)).toEqual(['claude-hooks.yaml']);
});

const NOBODY = 65_534;

/** Another user must get as far as our own sources. */
function isReachable(path: string): boolean {
  return path === '/' || ((statSync(path).mode & 0o001) !== 0 && isReachable(dirname(path)));
}

const canBeAnother =
  process.getuid?.() === 0 && isReachable(dirname(CLI)) && isReachable(dirname(process.execPath));

describe.skipIf(!canBeAnother)('another user', () => {
  test('is told the path, its owner and the remedy', async () => {
    expect((await run('migrate')).code).toBe(0);
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'claude-hooks.yaml'), 0o644);
    const commands = ['conversations', 'migrate', 'serve'];
    const ends = await Promise.all(commands.map((command) => run(command, { uid: NOBODY })));
    for (const [i, { code, stderr }] of ends.entries()) {
      expect(code, commands[i]).toBe(1);
      expect(stderr.trim().split('\n').at(-1), commands[i]).toMatch(
        /^User nobody may not use .*\/state.*, which belongs to uid 0\. Run this as that user, as with sudo -u '#0'/,
      );
    }
  });
});

test('a path that this user may not use is worded with whose the nearest visible folder is', () => {
  const path = join(folder, 'not', 'there');
  expect(existsSync(path)).toBe(false);
  const uid = process.getuid!();
  expect(refusedFile(Object.assign(new Error('EACCES'), { code: 'EACCES', path }))).toContain(
    `${path}, which belongs to uid ${uid}. Run this as that user, as with sudo -u '#${uid}'`,
  );
  expect(refusedFile(Object.assign(new Error('spawn'), { code: 'ENOENT', path }))).toBeNull();
  expect(refusedFile(new Error('anything else'))).toBeNull();
});
