import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BareRepository, git, makeFolder } from '../test/support/git-remotes.ts';
import { type CheckoutSpec, openWorkdir, type Workdir } from './workdir.ts';

const CONVERSATION = '11111111-2222-3333-4444-555555555555';
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
    conversation: CONVERSATION,
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

function pull(sha: string): CheckoutSpec {
  return spec({ at: { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha } });
}

/** Commits as the agent would: with the checkout's own git configuration. */
function agentCommits(path: string, file: string, content = `${file}\n`): string {
  writeFileSync(join(path, file), content);
  git(path, 'add', '--', file);
  git(path, '-c', 'user.useConfigOnly=true', 'commit', '--quiet', '-m', `agent writes ${file}`);
  return git(path, 'rev-parse', 'HEAD');
}

describe('a branch checkout', () => {
  test('is made from the base the first time, with the identity and a mirror as origin', async () => {
    const checkout = await workdir.prepare(spec());
    expect(checkout).toMatchObject({
      path: join(folder.path, 'work/checkouts', CONVERSATION, 'app'),
      branch: 'claude/5',
      headSha: forge.head('refs/heads/main'),
      baseSha: forge.head('refs/heads/main'),
      notes: [],
      created: true,
    });
    expect(git(checkout.path, 'status', '--porcelain')).toBe('');
    expect(git(checkout.path, 'symbolic-ref', 'HEAD')).toBe('refs/heads/claude/5');
    expect(git(checkout.path, 'config', 'user.email')).toBe('dev@example.test');
    expect(git(checkout.path, 'remote', 'get-url', 'origin')).toContain('work/mirrors/');
    expect(existsSync(join(checkout.path, '.git/objects/info/alternates'))).toBe(false);
  });

  test('shares no inode with the mirror: through one an agent could write into it', async () => {
    const checkout = await workdir.prepare(spec());
    const [mirror] = readdirSync(join(folder.path, 'work/mirrors'));
    const inodes = (path: string) =>
      readdirSync(path, { recursive: true, encoding: 'utf8' })
        .map((name) => statSync(join(path, name)))
        .filter((s) => s.isFile())
        .map((s) => s.ino);
    const theirs = new Set(inodes(join(folder.path, 'work/mirrors', mirror!)));
    const objects = inodes(join(checkout.path, '.git/objects'));
    expect(objects.length).toBeGreaterThan(0);
    expect(objects.filter((ino) => theirs.has(ino))).toEqual([]);
  });

  test('keeps uncommitted and staged work at the next dispatch', async () => {
    const { path } = await workdir.prepare(spec());
    writeFileSync(join(path, 'README.md'), 'changed\n');
    writeFileSync(join(path, 'new file'), 'x');
    writeFileSync(join(path, 'staged'), 'x');
    git(path, 'add', 'staged');
    forge.commit('refs/heads/main', 'later', 'x');

    const again = await workdir.prepare(spec());
    expect(again).toMatchObject({ created: false, path, baseSha: forge.head('refs/heads/main') });
    expect(again.notes).toEqual(['Uncommitted changes of an earlier run were kept (3 files).']);
    expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('changed\n');
    expect(git(path, 'rev-parse', 'origin/main')).toBe(again.baseSha);
    expect((await workdir.inspect(again)).dirtyFiles.sort()).toEqual(['README.md', 'new file', 'staged']);
  });

  test('continues from the branch on the forge when the checkout was lost', async () => {
    const theirs = forge.commit('refs/heads/claude/5', 'theirs', 'x', 'refs/heads/main');
    const first = await workdir.prepare(spec());
    expect(first).toMatchObject({ headSha: theirs, branch: 'claude/5' });
    expect(first.notes.join()).toMatch(/on the forge already/);
    expect(git(first.path, 'rev-parse', '--abbrev-ref', '@{upstream}')).toBe('origin/claude/5');

    rmSync(first.path, { recursive: true });
    const second = await workdir.prepare(spec());
    expect(second).toMatchObject({ headSha: theirs, created: true, path: first.path });
    expect(second.notes[0]).toMatch(/was missing and was made anew/);
  });

  test('has another name where the forge has a branch that leaves no place for the wanted one', async () => {
    forge.commit('refs/heads/claude', 'theirs', 'x', 'refs/heads/main');
    const at = { kind: 'branch', branch: 'claude/5', base: 'main', otherwise: ['claude-work/5'] } as const;
    const checkout = await workdir.prepare(spec({ at }));
    expect(checkout).toMatchObject({ branch: 'claude-work/5', workBranch: 'claude-work/5' });
    expect(checkout.notes.join()).toContain('a branch called claude, so it can have none called');
    const sha = agentCommits(checkout.path, 'mine');
    const remote = { url: forge.path, token: null };
    expect(await workdir.push(checkout, { remote, branch: 'claude-work/5' })).toEqual({
      kind: 'pushed',
      sha,
    });
  });

  test('fast-forwards its tree, and leaves a diverged one alone', async () => {
    const { path, headSha } = await workdir.prepare(spec());
    const one = forge.commit('refs/heads/claude/5', 'one', '1', 'refs/heads/main');
    const forwarded = await workdir.prepare(spec());
    expect(forwarded.headSha).toBe(one);
    expect(forwarded.notes).toEqual([
      'The branch on the forge has new commits by others; the checkout was fast-forwarded.',
    ]);
    expect(git(path, 'status', '--porcelain', '--branch')).toBe('## claude/5');
    expect(readFileSync(join(path, 'one'), 'utf8')).toBe('1');
    expect(headSha).not.toBe(one);

    const mine = agentCommits(path, 'mine');
    forge.commit('refs/heads/claude/5', 'two', '2');
    const diverged = await workdir.prepare(spec());
    expect(diverged.headSha).toBe(mine);
    expect(diverged.notes.join()).toMatch(/diverged/);
  });

  test('follows the forge with uncommitted changes, unless these are in the way, and then names both commits', async () => {
    const { path } = await workdir.prepare(spec());
    writeFileSync(join(path, 'coverage.out'), 'mine');
    writeFileSync(join(path, 'README.md'), 'dirty\n');
    const one = forge.commit('refs/heads/claude/5', 'one', '1', 'refs/heads/main');
    const forwarded = await workdir.prepare(spec());
    expect(forwarded.headSha).toBe(one);
    expect(forwarded.notes.join(' ')).toMatch(/kept \(2 files\).*was fast-forwarded/);

    const two = forge.commit('refs/heads/claude/5', 'README.md', 'theirs\n');
    const behind = await workdir.prepare(spec());
    expect(behind.headSha).toBe(one);
    expect(behind.notes.join(' ')).toContain(
      `up to ${two}; the checkout was not fast-forwarded and is at ${one}`,
    );
    expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('dirty\n');
  });

  test('goes back to its branch with files that are in nobody’s way, and says what it is behind of', async () => {
    const { path, baseSha } = await workdir.prepare(spec());
    git(path, 'checkout', '--quiet', '-b', 'mine');
    writeFileSync(join(path, 'coverage.out'), 'mine');
    const back = await workdir.prepare(spec());
    expect(back).toMatchObject({ branch: 'claude/5', headSha: baseSha });
    expect(back.notes.join(' ')).toContain('was on branch mine; it is now on claude/5');

    git(path, 'checkout', '--quiet', 'mine');
    agentCommits(path, 'README.md', 'mine\n');
    writeFileSync(join(path, 'README.md'), 'dirty\n');
    const theirs = forge.commit('refs/heads/claude/5', 'one', '1', 'refs/heads/main');
    const left = await workdir.prepare(spec());
    expect(left.branch).toBe('mine');
    expect(left.notes.join(' ')).toMatch(/it was left there, because the uncommitted changes/);
    expect(left.notes.join(' ')).toContain(`commits that are not in it, up to ${theirs}`);
    expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('dirty\n');
  });

  test('tells what somebody force-pushed, and asks for a rebase; what they took out does not come back', async () => {
    forge.commit('refs/heads/claude/5', 'one', '1', 'refs/heads/main');
    const { path, headSha } = await workdir.prepare(spec());
    // Rewritten: all that the checkout has was on the forge.
    const theirs = forge.commit('refs/heads/rewritten', 'one', 'theirs', 'refs/heads/main');
    git(forge.path, 'update-ref', 'refs/heads/claude/5', theirs);
    const told = await workdir.prepare(spec());
    expect(told.headSha).toBe(headSha);
    expect(told.notes.join()).toContain(
      `was at ${headSha.slice(0, 12)} and is now at ${theirs.slice(0, 12)}`,
    );
    expect(told.notes.join()).toContain('`git reset --keep origin/claude/5`');
    git(path, 'reset', '--quiet', '--keep', 'origin/claude/5');
    const mine = agentCommits(path, 'mine');
    const pushed = await workdir.push(told, { remote: spec().remote, branch: 'claude/5' });
    expect(pushed).toMatchObject({ kind: 'pushed', sha: mine });
    // The service pushed it, and somebody drops it again: pushing the checkout would undo that.
    git(forge.path, 'update-ref', 'refs/heads/claude/5', theirs);
    const dropped = await workdir.prepare(spec());
    expect(dropped.notes.join()).toContain('`git reset --keep origin/claude/5`');
    git(path, 'reset', '--quiet', '--keep', 'origin/claude/5');
    // Commits that the forge has not seen go on top.
    const fresh = agentCommits(path, 'fresh');
    const other = forge.commit('refs/heads/other', 'one', 'other', 'refs/heads/main');
    git(forge.path, 'update-ref', 'refs/heads/claude/5', other);
    const parted = await workdir.prepare(spec());
    expect(parted.headSha).toBe(fresh);
    const command = /`git (rebase --onto \S+ \S+)`/.exec(parted.notes.join())![1]!;
    git(path, ...command.split(' '));
    expect(git(path, 'log', '--format=%s', 'origin/main..HEAD').split('\n')).toHaveLength(2);
    expect(await workdir.push(parted, { remote: spec().remote, branch: 'claude/5' })).toMatchObject({
      kind: 'pushed',
    });
    expect((await workdir.prepare(spec())).notes).toEqual([]);
  });

  test('goes back to its branch, and keeps commits made without one', async () => {
    const { path } = await workdir.prepare(spec());
    git(path, 'checkout', '--quiet', '--detach');
    const loose = agentCommits(path, 'loose');
    const again = await workdir.prepare(spec());
    expect(again.branch).toBe('claude/5');
    expect(git(path, 'rev-parse', `kept-${loose.slice(0, 12)}`)).toBe(loose);
    expect(again.notes.join(' ')).toMatch(/kept as branch kept-.*now on claude\/5/);
    expect(git(path, 'status', '--porcelain', '--branch')).toBe('## claude/5');
  });

  test('leaves a merge in progress alone, and removes what a killed git left locked', async () => {
    const { path } = await workdir.prepare(spec());
    forge.commit('refs/heads/main', 'README.md', 'theirs\n');
    agentCommits(path, 'README.md', 'mine\n');
    await workdir.prepare(spec());
    expect(() => git(path, 'merge', 'origin/main')).toThrow();
    writeFileSync(join(path, '.git/index.lock'), '');
    const again = await workdir.prepare(spec());
    expect(again.notes.join(' ')).toMatch(/A merge is in progress/);
    expect(existsSync(join(path, '.git/index.lock'))).toBe(false);
    expect((await workdir.inspect(again)).dirtyFiles).toEqual(['README.md']);
  });

  test('keeps its path when the repository is renamed, and follows a new identity', async () => {
    const { path } = await workdir.prepare(spec());
    const renamed = await workdir.prepare(
      spec({ repository: { id: '7', fullName: 'team/other' }, identity: { name: '-x\ny', email: '' } }),
    );
    expect(renamed.path).toBe(path);
    expect(git(path, 'config', 'user.name')).toBe('-x y');
    expect(git(path, 'config', 'user.email')).toBe('claude-hooks@localhost');
  });
});

describe('a pull request checkout', () => {
  test('is detached at the head, follows it, and has the base', async () => {
    const first = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
    const checkout = await workdir.prepare(pull(first));
    expect(checkout).toMatchObject({ branch: null, headSha: first, created: true, notes: [] });
    expect(checkout.baseSha).toBe(forge.head('refs/heads/main'));
    expect(git(checkout.path, 'rev-parse', 'refs/pull/3/head')).toBe(first);

    const forced = forge.commit('refs/pull/3/head', 'feature', '2', 'refs/heads/main');
    const next = await workdir.prepare(pull(forced));
    expect(next).toMatchObject({ headSha: forced, created: false });
    expect(next.notes).toEqual([
      `The pull request moved from ${first} to ${forced}; the checkout followed it.`,
    ]);
    expect(git(checkout.path, 'rev-parse', 'HEAD')).toBe(forced);
    expect(readFileSync(join(checkout.path, 'feature'), 'utf8')).toBe('2');
  });

  test('follows the head whatever is not committed, which is put aside and not lost', async () => {
    const first = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
    const { path } = await workdir.prepare(pull(first));
    writeFileSync(join(path, 'feature'), 'changed');
    mkdirSync(join(path, 'out'));
    writeFileSync(join(path, 'out/coverage.out'), 'mine');
    writeFileSync(join(path, 'staged'), 'mine');
    git(path, 'add', 'staged');
    const second = forge.commit('refs/pull/3/head', 'feature', '2');
    const moved = await workdir.prepare(pull(second));
    expect(moved.headSha).toBe(second);
    expect(git(path, 'rev-parse', 'HEAD')).toBe(second);
    expect(git(path, 'status', '--porcelain')).toBe('');
    expect(moved.notes.join(' ')).toContain('(3 files) was put aside, out of your reach (.put-aside-1');
    const aside = join(path, '../.put-aside-1/files');
    const kept = ['feature', 'out/coverage.out', 'staged'].map((f) => readFileSync(join(aside, f), 'utf8'));
    expect(kept).toEqual(['changed', 'mine', 'mine']);
  });

  test('is at the head also when nothing moved, after a merge that was left unfinished, and beside a repository', async () => {
    const first = forge.commit('refs/pull/3/head', 'README.md', '1', 'refs/heads/main');
    const { path } = await workdir.prepare(pull(first));
    forge.commit('refs/heads/main', 'README.md', 'theirs\n');
    await workdir.prepare(pull(first));
    expect(() => git(path, 'merge', 'origin/main')).toThrow();
    git(path, 'init', '--quiet', 'inner');
    writeFileSync(join(path, 'inner/file'), 'mine');
    const again = await workdir.prepare(pull(first));
    expect(again.headSha).toBe(first);
    expect(git(path, 'status', '--porcelain')).toBe('');
    expect(existsSync(join(path, '.git/MERGE_HEAD'))).toBe(false);
    expect(readFileSync(join(path, '../.put-aside-1/files/inner/file'), 'utf8')).toBe('mine');
    expect((await workdir.prepare(pull(first))).notes).toEqual([]);
  });

  test('follows the head where the tree differs right after git made it', async () => {
    forge.commit('refs/heads/main', '.gitattributes', '*.bat text eol=lf\n');
    const first = forge.commit('refs/pull/3/head', 'run.bat', 'a\r\n', 'refs/heads/main');
    const { path } = await workdir.prepare(pull(first));
    expect(git(path, 'status', '--porcelain')).not.toBe('');
    const second = forge.commit('refs/pull/3/head', 'feature', '2');
    expect((await workdir.prepare(pull(second))).headSha).toBe(second);
    expect(git(path, 'rev-parse', 'HEAD')).toBe(second);
  });

  test('moves nothing through a link that stands where a folder was', async () => {
    const first = forge.commit('refs/pull/3/head', 'd/f', '1', 'refs/heads/main');
    const { path } = await workdir.prepare(pull(first));
    const outside = join(folder.path, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'f'), 'not ours');
    rmSync(join(path, 'd'), { recursive: true });
    symlinkSync(outside, join(path, 'd'));
    await workdir.prepare(pull(first));
    expect(readFileSync(join(outside, 'f'), 'utf8')).toBe('not ours');
    expect(readFileSync(join(path, 'd/f'), 'utf8')).toBe('1');
  });

  test('goes to the present head when the wanted commit is gone from the forge', async () => {
    const head = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
    const gone = '0123456789'.repeat(4);
    const checkout = await workdir.prepare(pull(gone));
    expect(checkout.headSha).toBe(head);
    expect(checkout.notes.join()).toMatch(/no longer on the forge/);
    await expect(
      workdir.prepare(spec({ at: { kind: 'pull', number: 9, ref: 'refs/pull/9/head', sha: gone } })),
    ).rejects.toMatchObject({
      name: 'GitFailed',
      transient: false,
    });
  });

  test('has a commit that no branch and no pull request names any more, while the forge still gives it', async () => {
    const old = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
    forge.commit('refs/pull/3/head', 'feature', '2', 'refs/heads/main');
    git(forge.path, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    expect((await workdir.prepare(spec())).created).toBe(true);
    const checkout = await workdir.prepare(pull(old));
    expect(checkout).toMatchObject({ headSha: old, branch: null, created: false });
  });
});

test('inspect and changedFiles tell commits, changes and new files', async () => {
  const checkout = await workdir.prepare(spec());
  const { path, baseSha } = checkout;
  const mine = agentCommits(path, 'über\nodd');
  writeFileSync(join(path, 'README.md'), 'changed\n');
  mkdirSync(join(path, 'folder'));
  writeFileSync(join(path, 'folder/new'), 'x');
  expect(await workdir.inspect(checkout)).toEqual({
    headSha: mine,
    branch: 'claude/5',
    dirtyFiles: ['README.md', 'folder/new'],
    commitsAheadOfBase: 1,
  });
  expect(await workdir.changedFiles(checkout, baseSha)).toEqual(['README.md', 'folder/new', 'über\nodd']);
  expect(await workdir.changedFiles(checkout, mine)).toEqual(['README.md', 'folder/new']);
});

test('five conversations on one repository are prepared at once, on one mirror', async () => {
  const all = await Promise.all(
    [1, 2, 3, 4, 5].map((n) =>
      workdir.prepare(
        spec({
          conversation: CONVERSATION.replace('11111111', `1111111${n}`),
          at: { kind: 'branch', branch: `claude/${n}`, base: 'main' },
        }),
      ),
    ),
  );
  expect(all.map((c) => c.branch)).toEqual([1, 2, 3, 4, 5].map((n) => `claude/${n}`));
  expect(new Set(all.map((c) => c.path)).size).toBe(5);
  expect(readdirSync(join(folder.path, 'work/mirrors'))).toHaveLength(1);
  const again = spec({ conversation: CONVERSATION.replace('11111111', '99999999') });
  const same = await Promise.all([workdir.prepare(again), workdir.prepare(again)]);
  expect(same.map((c) => c.created)).toEqual([true, false]);
});

test('remove deletes the checkout and what was kept for it, twice if need be', async () => {
  const { path } = await workdir.prepare(spec());
  await workdir.remove(CONVERSATION);
  await workdir.remove(CONVERSATION);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(join(folder.path, 'work/control'))).toEqual([]);
  expect((await workdir.prepare(spec())).created).toBe(true);
});
