/** Repositories whose objects have SHA-256 names: everything an agent does with an ordinary one works with them, too. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BareRepository, git, makeFolder, serveGit } from '../../test/support/git-remotes.ts';
import { type CheckoutSpec, openWorkdir } from '../workdir.ts';

const CONVERSATION = '11111111-2222-3333-4444-555555555555';
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let served: Awaited<ReturnType<typeof serveGit>>;

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'), 'sha256');
  served = await serveGit(folder.path, 'a-token');
});
afterEach(async () => {
  await served.close();
  folder.remove();
});

function spec(change: Partial<CheckoutSpec> = {}): CheckoutSpec {
  return {
    conversation: CONVERSATION,
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: `${served.url}/forge.git`, token: 'a-token' },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'dev/5', base: 'main' },
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    relay: null,
    configurationFromBase: false,
    sign: false,
    ...change,
  };
}

function commit(path: string, file: string): string {
  writeFileSync(join(path, file), `${file}\n`);
  git(path, 'add', '--', file);
  git(path, 'commit', '--quiet', '-m', `agent writes ${file}`);
  return git(path, 'rev-parse', 'HEAD');
}

test('prepare, work, prepare again, push', async () => {
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  await workdir.prepare(spec());
  forge.commit('refs/heads/main', 'by-a-person.txt', 'x\n');
  const checkout = await workdir.prepare(spec());
  expect(checkout.baseSha).toMatch(/^[0-9a-f]{64}$/);
  const own = commit(checkout.path, 'work.txt');
  expect(await workdir.inspect(checkout)).toMatchObject({ headSha: own, branch: 'dev/5' });
  const { remote } = spec();
  const asked: string[][] = [];
  const check = {
    base: 'main',
    isWatched: () => true,
    maxLfsBytes: 0,
    refuse: (facts: { changedFiles: string[] }) => {
      asked.push(facts.changedFiles);
      return null;
    },
  };
  const outcome = await workdir.push(checkout, { remote, branch: 'dev/5', check });
  expect(outcome).toEqual({ kind: 'pushed', sha: own });
  expect(asked).toEqual([['work.txt']]);
  expect(forge.head('refs/heads/dev/5')).toBe(own);
});

test('what was handed over through the relay is looked at, and sent', async () => {
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const checkout = await workdir.prepare(spec());
  const own = commit(checkout.path, 'work.txt');
  const pack = join(folder.path, 'handed.pack');
  const input = `${own}\n^${checkout.baseSha}\n`;
  const packed = execFileSync('git', ['pack-objects', '--stdout', '--revs', '--thin', '--quiet'], {
    cwd: checkout.path,
    input,
  });
  writeFileSync(pack, packed);
  const outcome = await workdir.receive(checkout, {
    remote: spec().remote,
    branch: 'dev/5',
    sha: own,
    pack,
    maxBytes: 1_000_000,
    seen: null,
    check: { base: 'main', refuse: () => null, isWatched: () => true, maxLfsBytes: 0 },
    keep: true,
  });
  expect(outcome).toEqual({ kind: 'pushed', sha: own, forced: false });
  expect(git(checkout.relay.root, '--git-dir=push.git', 'rev-parse', '--show-object-format')).toBe('sha256');
});

test('a pull request with the configuration of its base', async () => {
  const head = forge.commit('refs/pull/3/head', 'CLAUDE.md', 'of the pull request\n', 'refs/heads/main');
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const at = { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha: head } as const;
  const checkout = await workdir.prepare(spec({ at, configurationFromBase: true }));
  expect(checkout).toMatchObject({ headSha: head, branch: null });
  const next = forge.commit('refs/pull/3/head', 'more.txt', 'x\n');
  const again = await workdir.prepare(spec({ at: { ...at, sha: next }, configurationFromBase: true }));
  expect(again.headSha).toBe(next);
});

test('a repository that was empty when it was first looked at', async () => {
  const empty = join(folder.path, 'empty.git');
  git('/', 'init', '--quiet', '--bare', '--initial-branch=main', '--object-format=sha256', empty);
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const remote = { url: empty, token: null };
  await expect(workdir.prepare(spec({ remote }))).rejects.toThrow('has no branch main');
  git(forge.path, 'push', '--quiet', empty, 'main');
  expect((await workdir.prepare(spec({ remote }))).headSha).toBe(forge.head('refs/heads/main'));
});
