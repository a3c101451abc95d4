/** Real mounts in a mount namespace of their own: the doctor runs inside it as another process. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contextOf } from '../../test/support/doctor.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import type { Check } from './check.ts';
import { checkFolders } from './folders.ts';

const namespace = needs('mount-namespace');
const isRoot = process.getuid?.() === 0;

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const MODULE = new URL('folders.ts', import.meta.url).href;

/** `mount` is shell, run with $0 = the state folder. */
function lookBehind(mount: string, state: string): Check[] {
  const program = `
    import { checkFolders } from ${JSON.stringify(MODULE)};
    const config = { state: process.argv[1], git: { signingKeyFile: null }, agents: new Map() };
    console.log(JSON.stringify(await checkFolders({ config, uid: process.getuid() })));`;
  const node = [process.execPath, '--input-type=module-typescript', '--eval', program, state];
  const [unshare, ...args] = ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, state, ...node];
  const out = execFileSync(unshare!, args, { encoding: 'utf8' });
  return JSON.parse(out) as Check[];
}

const look = (changes: Record<string, unknown> = {}) =>
  checkFolders({ ...contextOf(here.config(changes)), rows: null });

describe.skipIf(!namespace.ok)(namespace.title('mounts'), () => {
  test('a read-only state folder', () => {
    const state = join(here.folder, 'state');
    mkdirSync(join(state, 'conversations'), { recursive: true });
    const mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"';
    expect(lookBehind(mount, state)[0]).toMatchObject({
      check: 'mount-read-only',
      severity: 'broken',
      subject: state,
      evidence: 'EROFS',
    });
  });

  test('a tmpfs too small for CLI folders, where only they are on it', () => {
    const state = join(here.folder, 'state');
    mkdirSync(join(state, 'conversations'), { recursive: true });
    const found = lookBehind('mount -t tmpfs -o size=16m none "$0/conversations"', state);
    expect(found.map((f) => [f.check, f.subject])).toContainEqual([
      'disk-full',
      join(state, 'conversations'),
    ]);
  });
});

describe.skipIf(!isRoot)(isRoot ? 'owners' : 'owners — not run here: only root may give files away', () => {
  test('CLI folders of another user than the one agents run as', async () => {
    const cli = join(here.config().state, 'conversations', 'one', 'cli');
    mkdirSync(join(cli, 'projects'), { recursive: true });
    expect(await look()).toEqual([]);
    chownSync(join(cli, 'projects'), 4242, 4242);
    expect(await look()).toMatchObject([
      { check: 'owner-mismatch', severity: 'broken', evidence: expect.stringContaining('uid 4242') },
    ]);
  });
});

test('nothing is said of a state folder that is not there yet', async () => {
  expect(await look()).toEqual([]);
});

test('a signing key that is missing, or is the public half', async () => {
  const file = join(here.folder, 'key');
  const git = { signing_key_file: file };
  expect(await look({ git })).toMatchObject([{ check: 'key-unreadable' }]);
  writeFileSync(file, 'ssh-ed25519 AAAA me@here\n');
  expect(await look({ git })).toMatchObject([{ check: 'key-is-no-key' }]);
  writeFileSync(file, '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n');
  const about = { check: 'signing-key', severity: 'ok', subject: 'git.signing_key_file' };
  expect(await look({ git })).toEqual([{ ...about, problem: '', evidence: 'readable', remedy: '' }]);
});
