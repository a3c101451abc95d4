import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type Checkout, type CheckoutPoint, openWorkdir, type Workdir } from '../workdir.ts';

const BRANCH: CheckoutPoint = { kind: 'branch', branch: 'claude/5', base: 'main' };
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let workdir: Workdir;

beforeEach(() => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
});
afterEach(() => folder.remove());

const remote = () => ({ url: forge.path, token: null });

async function prepare(at: CheckoutPoint = BRANCH): Promise<Checkout> {
  return await workdir.prepare({
    conversation: '11111111-2222-3333-4444-555555555555',
    repository: { id: '7', fullName: 'team/app' },
    remote: remote(),
    defaultBranch: 'main',
    at,
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    relay: null,
    configurationFromBase: false,
    sign: false,
  });
}

function commit({ path }: Checkout, file: string): string {
  writeFileSync(join(path, file), file);
  git(path, 'add', '--', file);
  git(path, 'commit', '--quiet', '-m', file);
  return git(path, 'rev-parse', 'HEAD');
}

const push = (checkout: Checkout, began = checkout.headSha) =>
  workdir.push(checkout, { remote: remote(), branch: 'claude/5', began });
const left = (checkout: Checkout, published: string | null = null, since = 0) =>
  workdir.unpublished(checkout, { published, since });

describe('work on a branch of the agent’s own', () => {
  test.each([
    ['that goes on from its branch', (path: string) => git(path, 'checkout', '--quiet', '-b', 'fix-typo')],
    ['under which it renamed its branch', (path: string) => git(path, 'branch', '-m', 'fix-typo')],
    ['or on none', (path: string) => git(path, 'checkout', '--quiet', '--detach')],
  ])('%s is published', async (_, go) => {
    const checkout = await prepare();
    go(checkout.path);
    const sha = commit(checkout, 'work');
    expect(await left(checkout)).toMatchObject({ branches: [{ commits: 1 }] });
    expect(await push(checkout)).toEqual({ kind: 'pushed', sha });
    expect(await left(checkout, sha)).toEqual({ dirtyFiles: [], branches: [] });
    expect(await prepare()).toMatchObject({ branch: 'claude/5', headSha: sha });
  });

  test('is told where it does not belong to the branch', async () => {
    const checkout = await prepare();
    const mine = commit(checkout, 'mine');
    git(checkout.path, 'checkout', '--quiet', '-b', 'other', 'HEAD^');
    commit(checkout, 'one');
    commit(checkout, 'two');
    expect(await push(checkout)).toEqual({ kind: 'pushed', sha: mine });
    expect(await left(checkout, mine)).toEqual({ dirtyFiles: [], branches: [{ name: 'other', commits: 2 }] });
    // Told of when it was made, and not in every answer from then on.
    expect(await left(checkout, mine, Date.now() + 60_000)).toEqual({ dirtyFiles: [], branches: [] });
  });

  test('is not taken from what others have on the forge', async () => {
    const checkout = await prepare();
    const theirs = forge.commit('refs/heads/main', 'theirs', 'x');
    await prepare();
    git(checkout.path, 'checkout', '--quiet', '--detach', theirs);
    expect(await push(checkout)).toEqual({ kind: 'nothing' });
    expect(await left(checkout)).toEqual({ dirtyFiles: [], branches: [] });
  });
});

test('what is not committed is told; what differs since git made the checkout is not', async () => {
  forge.commit('refs/heads/main', '.gitattributes', '*.bat text eol=lf\n');
  forge.commit('refs/heads/main', 'run.bat', 'a\r\n');
  const checkout = await prepare();
  expect(git(checkout.path, 'status', '--porcelain')).toContain('run.bat');
  expect(await left(checkout)).toEqual({ dirtyFiles: [], branches: [] });
  writeFileSync(join(checkout.path, 'new'), 'x');
  rmSync(join(checkout.path, 'README.md'));
  await prepare();
  expect((await left(checkout)).dirtyFiles.sort()).toEqual(['README.md', 'new']);
});

test('the head of a pull request that the agent only looked at is nobody’s unpublished work', async () => {
  const sha = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
  const checkout = await prepare({ kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha });
  expect(await left(checkout)).toEqual({ dirtyFiles: [], branches: [] });
  commit(checkout, 'fix');
  expect(await left(checkout)).toEqual({ dirtyFiles: [], branches: [{ name: null, commits: 1 }] });
});

test('what the agent has pushed itself is news once', async () => {
  const checkout = await prepare();
  const sha = commit(checkout, 'work');
  git(checkout.path, 'push', '--quiet', forge.path, 'HEAD:claude/5');
  expect(await push(checkout)).toEqual({ kind: 'up-to-date', sha, news: true });
  const next = await prepare();
  expect(await push(next)).toEqual({ kind: 'up-to-date', sha, news: false });
});
