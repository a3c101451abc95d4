import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BareRepository,
  type GitHttpServer,
  git,
  makeFolder,
  serveGit,
} from '../../test/support/git-remotes.ts';
import { GitFailed } from '../errors.ts';
import { type Checkout, type CheckoutSpec, openWorkdir, type Remote, type Workdir } from '../workdir.ts';

const TOKEN = 'tok3n-of-the-agent-4711';
const SPEC: Omit<CheckoutSpec, 'remote'> = {
  conversation: '11111111-2222-3333-4444-555555555555',
  repository: { id: '7', fullName: 'team/app' },
  defaultBranch: 'main',
  at: { kind: 'branch', branch: 'claude/5', base: 'main' },
  identity: { name: 'Dev Agent', email: 'dev@example.test' },
  relay: null,
  configurationFromBase: false,
  sign: false,
};

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let server: GitHttpServer;
let workdir: Workdir;
let remote: Remote;

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge', 'app.git'));
  server = await serveGit(join(folder.path, 'forge'), TOKEN);
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
  remote = { url: `${server.url}/app.git`, token: TOKEN };
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

function agentCommits(checkout: Checkout, file: string): string {
  writeFileSync(join(checkout.path, file), 'x');
  git(checkout.path, 'add', '--', file);
  git(checkout.path, 'commit', '--quiet', '-m', file);
  return git(checkout.path, 'rev-parse', 'HEAD');
}

async function failure(promise: Promise<unknown>): Promise<GitFailed> {
  const error = await promise.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(GitFailed);
  return error as GitFailed;
}

describe('push, over HTTP with a token', () => {
  test('answers nothing, pushed and up-to-date in turn', async () => {
    const checkout = await workdir.prepare({ ...SPEC, remote });
    const request = { remote, branch: 'claude/5' };
    expect(await workdir.push(checkout, request)).toEqual({ kind: 'nothing' });
    expect(forge.head('refs/heads/claude/5')).toBe(null);

    const one = agentCommits(checkout, 'one');
    expect(await workdir.push(checkout, { ...request, expectedRemoteSha: null })).toEqual({
      kind: 'pushed',
      sha: one,
    });
    expect(forge.head('refs/heads/claude/5')).toBe(one);
    expect(await workdir.push(checkout, request)).toEqual({ kind: 'up-to-date', sha: one, news: false });

    const two = agentCommits(checkout, 'two');
    expect(await workdir.push(checkout, { ...request, expectedRemoteSha: one })).toEqual({
      kind: 'pushed',
      sha: two,
    });
    const again = await workdir.prepare({ ...SPEC, remote });
    expect(again).toMatchObject({ headSha: two, created: false, notes: [] });
  });

  test('pushes HEAD of a checkout without a branch', async () => {
    const head = forge.commit('refs/pull/3/head', 'feature', '1', 'refs/heads/main');
    const checkout = await workdir.prepare({
      ...SPEC,
      remote,
      at: { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha: head },
    });
    const fix = agentCommits(checkout, 'fix');
    expect(await workdir.push(checkout, { remote, branch: 'feature' })).toEqual({ kind: 'pushed', sha: fix });
    expect(forge.head('refs/heads/feature')).toBe(fix);
  });

  test('is rejected, never forced, when the forge has other commits', async () => {
    const checkout = await workdir.prepare({ ...SPEC, remote });
    agentCommits(checkout, 'mine');
    const theirs = forge.commit('refs/heads/claude/5', 'theirs', 'x', 'refs/heads/main');
    const expected = await workdir.push(checkout, { remote, branch: 'claude/5', expectedRemoteSha: null });
    expect(expected).toMatchObject({ kind: 'rejected', remoteSha: theirs });
    const diverged = await workdir.push(checkout, { remote, branch: 'claude/5' });
    expect(diverged).toMatchObject({ kind: 'rejected', remoteSha: theirs });
    expect(diverged).toHaveProperty(
      'reason',
      expect.stringContaining('Merge or rebase onto origin/claude/5'),
    );
    expect(forge.head('refs/heads/claude/5')).toBe(theirs);
  });

  test("hands on the forge's own words when its hook declines", async () => {
    const hook = join(forge.path, 'hooks', 'pre-receive');
    mkdirSync(join(forge.path, 'hooks'), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\necho "No space left on device, said the bouncer" >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    const checkout = await workdir.prepare({ ...SPEC, remote });
    agentCommits(checkout, 'mine');
    const outcome = await workdir.push(checkout, { remote, branch: 'claude/5' });
    expect(outcome).toMatchObject({ kind: 'rejected', remoteSha: null });
    expect(outcome).toHaveProperty('reason', expect.stringMatching(/pre-receive hook declined.*the bouncer/));
  });

  test('rejects commits that git would not make itself', async () => {
    const checkout = await workdir.prepare({ ...SPEC, remote });
    const tree = git(checkout.path, 'rev-parse', 'HEAD^{tree}');
    const file = join(folder.path, 'commit');
    writeFileSync(file, `tree ${tree}\nauthor nobody\ncommitter nobody\n\nx\n`);
    const bad = git(checkout.path, 'hash-object', '-t', 'commit', '-w', '--literally', file);
    git(checkout.path, 'update-ref', 'refs/heads/claude/5', bad);
    const outcome = await workdir.push(checkout, { remote, branch: 'claude/5' });
    expect(outcome).toMatchObject({ kind: 'rejected', remoteSha: null });
    expect(forge.head('refs/heads/claude/5')).toBe(null);
  });
});

describe('the token', () => {
  test('is in no file below the folder and in no argument list', async () => {
    const checkout = await workdir.prepare({ ...SPEC, remote });
    agentCommits(checkout, 'one');
    await workdir.push(checkout, { remote, branch: 'claude/5' });
    await workdir.prepare({
      ...SPEC,
      remote: { url: remote.url.replace('//', `//x-access-token:${TOKEN}@`), token: null },
    });

    const secrets = [TOKEN, Buffer.from(`x-access-token:${TOKEN}`).toString('base64')];
    expect(server.requests.some((r) => r.authorization === `Basic ${secrets[1]}`)).toBe(true);
    const work = join(folder.path, 'work');
    const files = readdirSync(work, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(work, name), { throwIfNoEntry: false })?.isFile(),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const name of files) {
      const content = readFileSync(join(work, name), 'latin1');
      for (const secret of secrets) expect(content.includes(secret), name).toBe(false);
    }
    if (existsSync('/proc/self/cmdline')) {
      const seen = [...server.argumentsSeen];
      expect(seen.some((line) => line.includes('remote-http') && line.includes(server.url))).toBe(true);
      for (const secret of secrets) expect(seen.some((line) => line.includes(secret))).toBe(false);
    }
  });

  test('is not carried over to where a forge redirects', async () => {
    server.refuseWith = 302;
    const error = await failure(workdir.prepare({ ...SPEC, remote }));
    expect(error.transient).toBe(false);
    expect(error.message).toMatch(/redirect/);
  });
});

describe('a remote that fails', () => {
  test.each([
    [401, false, /token is valid and may read and write code/],
    [403, false, /token is valid and may read and write code/],
    [404, false, /Check the clone URL/],
    [503, true, /can be repeated/],
    [429, true, /can be repeated/],
  ])('with %i', async (status, transient, remedy) => {
    await workdir.prepare({ ...SPEC, remote });
    server.refuseWith = status;
    const error = await failure(workdir.prepare({ ...SPEC, remote }));
    expect(error.transient).toBe(transient);
    expect(error.message).toMatch(remedy);
    expect(error.message).not.toContain(TOKEN);
    expect(readdirSync(join(folder.path, 'work/mirrors'))).toHaveLength(1);
  });

  test('with a wrong token', async () => {
    const error = await failure(workdir.prepare({ ...SPEC, remote: { ...remote, token: 'wrong' } }));
    expect(error.transient).toBe(false);
    expect(error.message).toMatch(/token is valid/);
  });

  test('by being down: transient, for prepare and for push, and nothing is thrown away', async () => {
    const checkout = await workdir.prepare({ ...SPEC, remote });
    const mine = agentCommits(checkout, 'mine');
    await server.close();
    expect((await failure(workdir.push(checkout, { remote, branch: 'claude/5' }))).transient).toBe(true);
    expect((await failure(workdir.prepare({ ...SPEC, remote }))).transient).toBe(true);
    expect(git(checkout.path, 'rev-parse', 'HEAD')).toBe(mine);
    expect(readdirSync(join(folder.path, 'work/mirrors'))).toHaveLength(1);
  });

  test('by not answering in time: transient', async () => {
    const silent = openWorkdir({ folder: join(folder.path, 'silent'), gitTimeoutMs: 300 });
    const { createServer } = await import('node:net');
    const listener = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const port = (listener.address() as { port: number }).port;
    const url = `http://127.0.0.1:${port}/app.git`;
    const error = await failure(silent.prepare({ ...SPEC, remote: { url, token: null } }));
    expect(error.transient).toBe(true);
    expect(error.message).toMatch(/timed out/);
    await new Promise((resolve) => listener.close(resolve));
  });
});
