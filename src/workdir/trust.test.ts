/** What an agent wrote into its checkout, and what a forge calls its things, must not become commands or paths. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type CheckoutPoint, type CheckoutSpec, openWorkdir, type Workdir } from '../workdir.ts';
import { folderName, isBranchName } from './names.ts';

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let workdir: Workdir;

beforeEach(() => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
});
afterEach(() => folder.remove());

function spec(change: Partial<CheckoutSpec> = {}): CheckoutSpec {
  return {
    conversation: '11111111-2222-3333-4444-555555555555',
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: forge.path, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'claude/5', base: 'main' },
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    relay: null,
    configurationFromBase: false,
    sign: false,
    ...change,
  };
}

const HOOKS = [
  'post-checkout',
  'post-merge',
  'post-index-change',
  'reference-transaction',
  'pre-push',
  'post-rewrite',
  'pre-auto-gc',
];

/** Every way we know to have git run a program, each of which touches the marker. */
function plant(path: string, marker: string): void {
  const program = join(folder.path, 'program');
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${marker}'\ncat\n`);
  chmodSync(program, 0o755);
  mkdirSync(join(path, '.git/hooks'), { recursive: true });
  for (const hook of HOOKS) {
    writeFileSync(join(path, '.git/hooks', hook), readFileSync(program));
    chmodSync(join(path, '.git/hooks', hook), 0o755);
  }
  writeFileSync(join(folder.path, 'included'), `[core]\n\tfsmonitor = ${program}\n`);
  const settings: [string, string][] = [
    ['core.fsmonitor', program],
    ['core.hooksPath', join(path, '.git/hooks')],
    ['core.sshCommand', program],
    ['core.pager', program],
    ['core.editor', program],
    ['core.alternateRefsCommand', program],
    ['core.worktree', '/'],
    ['include.path', join(folder.path, 'included')],
    ['filter.evil.clean', program],
    ['filter.evil.smudge', program],
    ['filter.evil.process', program],
    ['filter.evil.required', 'true'],
    ['diff.evil.command', program],
    ['diff.evil.textconv', program],
    ['diff.external', program],
    ['merge.evil.driver', program],
    ['credential.helper', program],
    ['uploadpack.packObjectsHook', program],
    ['remote.origin.uploadpack', program],
    ['remote.origin.receivepack', program],
    ['gpg.program', program],
    ['protocol.ext.allow', 'always'],
    ['url.ext::program.insteadOf', '/'],
  ];
  for (const [key, value] of settings) git(path, 'config', key, value);
  writeFileSync(join(path, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
}

test('nothing that an agent planted in its checkout is run', async () => {
  const marker = join(folder.path, 'marker');
  const checkout = await workdir.prepare(spec());
  const { path } = checkout;
  writeFileSync(join(path, 'work'), 'x');
  git(path, 'add', 'work');
  git(path, 'commit', '-qm', 'work');
  mkdirSync(join(path, 'nested'));
  git(join(path, 'nested'), 'init', '-q');
  git(join(path, 'nested'), 'config', 'core.fsmonitor', `touch '${marker}';`);
  plant(path, marker);
  writeFileSync(join(path, 'work'), 'y');
  const remote = spec().remote;

  await workdir.inspect(checkout);
  await workdir.changedFiles(checkout, checkout.baseSha);
  expect((await workdir.push(checkout, { remote, branch: 'claude/5' })).kind).toBe('pushed');
  await workdir.prepare(spec());
  rmSync(join(path, 'nested'), { recursive: true });
  rmSync(join(path, '.gitattributes'));
  writeFileSync(join(path, 'work'), 'x');
  mkdirSync(join(path, '.git/info'), { recursive: true });
  writeFileSync(join(path, '.git/info/attributes'), '* filter=evil diff=evil merge=evil\n');
  const theirs = forge.commit('refs/heads/claude/5', 'theirs', 'x');
  const forwarded = await workdir.prepare(spec());
  expect(forwarded.headSha).toBe(theirs);
  const sha = forge.commit('refs/pull/3/head', 'feature', 'x', 'refs/heads/main');
  const pull = await workdir.prepare(spec({ at: { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha } }));
  expect(pull).toMatchObject({ headSha: sha, created: false });
  expect(existsSync(marker)).toBe(false);

  // The same folder with git's own manners: the plants do work.
  spawnSync('git', ['--work-tree=.', 'status'], { cwd: path, stdio: 'ignore' });
  expect(existsSync(marker)).toBe(true);
});

test('what an agent links into its .git is not written through', async () => {
  const { path } = await workdir.prepare(spec());
  const victim = join(folder.path, 'victim');
  writeFileSync(victim, 'precious');
  rmSync(join(path, '.git/logs'), { recursive: true, force: true });
  mkdirSync(join(path, '.git/logs'));
  symlinkSync(victim, join(path, '.git/logs/HEAD'));
  symlinkSync(victim, join(path, '.git/HEAD.claude-hooks'));
  for (const name of ['ORIG_HEAD', 'FETCH_HEAD']) symlinkSync(victim, join(path, '.git', name));
  forge.commit('refs/heads/claude/5', 'theirs', 'x', 'refs/heads/main');
  await workdir.prepare(spec());
  git(path, 'config', 'core.logAllRefUpdates', 'false');
  const sha = forge.commit('refs/pull/3/head', 'feature', 'x', 'refs/heads/main');
  const moved = await workdir.prepare(
    spec({ at: { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha } }),
  );
  expect(moved.headSha).toBe(sha);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(lstatSync(join(path, '.git/HEAD')).isFile()).toBe(true);
});

const HOSTILE = [
  '',
  '@',
  'HEAD',
  '-x',
  '--upload-pack=touch x',
  '../x',
  'a/../b',
  'a..b',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'a.',
  'a b',
  'a~b',
  'a^b',
  'a:b',
  'a?b',
  'a*b',
  'a[b',
  'a\\b',
  'a@{b',
  'a\nb',
  'a\tb',
  'a\u007fb',
];
const FINE = [
  'main',
  'claude/5',
  'a.b',
  'a-b',
  'feature/ünïcode',
  'a@b',
  '@a',
  'a{b}',
  "a'b",
  'a;b',
  'a$(b)',
  'a]b',
];

test('isBranchName agrees with git', () => {
  for (const name of [...HOSTILE, ...FINE]) {
    let git = true;
    try {
      execFileSync('git', ['check-ref-format', '--branch', name], { stdio: 'ignore', cwd: '/' });
    } catch {
      git = false;
    }
    // git reads `@` and `@{-1}` as shorthand where a branch is meant; as a name neither is one.
    if (name === '@') git = false;
    expect(isBranchName(name), JSON.stringify(name)).toBe(git);
  }
  expect(isBranchName('a\0b')).toBe(false);
  expect(isBranchName('\ud800')).toBe(false);
  expect(isBranchName('a'.repeat(251))).toBe(false);
  expect(isBranchName(`${'a/'.repeat(600)}a`)).toBe(false);
});

test('hostile names from a forge are refused before git or the disk sees them', async () => {
  const points: CheckoutPoint[] = [...HOSTILE, 'a\0b', 'a'.repeat(5000)].flatMap((name) => [
    { kind: 'branch' as const, branch: name, base: 'main' },
    { kind: 'branch' as const, branch: 'x', base: name },
  ]);
  points.push(
    { kind: 'pull', number: 1.5, ref: 'refs/pull/1.5/head', sha: 'a'.repeat(40) },
    { kind: 'pull', number: 1, ref: 'refs/pull/1/head', sha: '--all' },
  );
  for (const at of points) {
    await expect(workdir.prepare(spec({ at }))).rejects.toMatchObject({
      name: 'GitFailed',
      transient: false,
    });
  }
  await expect(workdir.prepare(spec({ conversation: '../../x' }))).rejects.toThrow('not a conversation id');
  for (const url of ['ext::sh -c touch% x', '--upload-pack=x', 'ssh://x/y', 'http://x/\ny', 'relative']) {
    await expect(workdir.prepare(spec({ remote: { url, token: null } }))).rejects.toThrow('clone URL');
  }
  expect(existsSync(join(folder.path, 'work'))).toBe(false);
});

test('fine but odd branches work, and odd repository names stay inside their folder', async () => {
  for (const [i, name] of ["a'b;$(c)", 'feature/ünïcode'].entries()) {
    const conversation = `${String(i + 1).repeat(8)}-2222-3333-4444-555555555555`;
    const repository = { id: '../../x', fullName: 'team/..' };
    const at = { kind: 'branch' as const, branch: name, base: 'main' };
    const checkout = await workdir.prepare(spec({ conversation, repository, at }));
    expect(checkout.branch).toBe(name);
    expect(checkout.path).toBe(join(folder.path, 'work/checkouts', conversation, 'repository'));
  }
  expect(readdirSync(folder.path).sort()).toEqual(['forge.git', 'work']);
  expect(folderName('a/.git')).toBe('git');
  expect(folderName('a/-rf ü/../x\0y')).toBe('x-y');
  expect(folderName(`a/${'n'.repeat(400)}`)).toHaveLength(64);
});

test('one repository id on two forges is two mirrors', async () => {
  const other = new BareRepository(join(folder.path, 'other.git'));
  const head = other.commit('refs/heads/main', 'other', 'x');
  await workdir.prepare(spec());
  const conversation = '99999999-2222-3333-4444-555555555555';
  const checkout = await workdir.prepare(spec({ conversation, remote: { url: other.path, token: null } }));
  expect(checkout.headSha).toBe(head);
  expect(readdirSync(join(folder.path, 'work/mirrors'))).toHaveLength(2);
});
