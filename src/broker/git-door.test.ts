/** Pushes, fetches and signatures through the relay, with the real git on both sides. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  agentGit,
  agentSpec,
  contents,
  IDENTITY,
  openDoor,
  POLICY,
  run,
} from '../../test/support/git-agent.ts';
import {
  BareRepository,
  type GitHttpServer,
  git,
  makeFolder,
  serveGit,
} from '../../test/support/git-remotes.ts';
import { LeaseLost } from '../errors.ts';
import { type Checkout, openWorkdir, type Remote, type Workdir } from '../workdir.ts';
import { checkOf } from './git-policy.ts';

const TOKEN = 'tok3n-of-the-agent-4711';
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let server: GitHttpServer;
let workdir: Workdir;
let remote: Remote;
let checkout: Checkout;
let open: Awaited<ReturnType<typeof openDoor>>[];

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge', 'app.git'));
  server = await serveGit(join(folder.path, 'forge'), TOKEN);
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
  remote = { url: `${server.url}/app.git`, token: TOKEN };
  checkout = await workdir.prepare(agentSpec('', { remote }));
  open = [];
});
afterEach(async () => {
  for (const door of open) await door.close();
  await server.close();
  folder.remove();
});

async function door(change: Parameters<typeof openDoor>[1] = {}) {
  const opened = await openDoor({ workdir, checkout, remote: () => remote }, change);
  open.push(opened);
  return opened;
}

const agent = async (...args: string[]) => await agentGit(checkout.path, ...args);

async function commit(file: string, content = 'x'): Promise<string> {
  const path = join(checkout.path, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  git(checkout.path, 'add', '-A');
  const done = await agent('commit', '--quiet', '--allow-empty', '-m', file);
  expect(done.stderr).toBe('');
  return git(checkout.path, 'rev-parse', 'HEAD');
}

describe('a push', () => {
  test('plain, reaches the forge, and the next one as well', async () => {
    const { audited } = await door();
    const one = await commit('one');
    const first = await agent('push');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toContain(`remote: claude-hooks: claude/5 on the forge is at ${one.slice(0, 12)}.`);
    expect(forge.head('refs/heads/claude/5')).toBe(one);
    const two = await commit('two');
    expect((await agent('push', 'origin', 'claude/5')).code).toBe(0);
    expect(forge.head('refs/heads/claude/5')).toBe(two);
    expect((await agent('push')).stderr).toContain('Everything up-to-date');
    expect(audited).toEqual([
      expect.objectContaining({ door: 'git', action: 'push refs/heads/claude/5', decision: 'allowed' }),
      expect.objectContaining({ detail: { sha: two, outcome: 'pushed' } }),
    ]);
    expect(await workdir.push(checkout, { remote, branch: 'claude/5' })).toEqual({
      kind: 'up-to-date',
      sha: two,
      news: false,
    });
  });

  test.each([
    ['HEAD:refs/heads/main', 'main\\" is changed by pull requests only'],
    ['HEAD:refs/heads/other', 'is not yours to push'],
    ['HEAD:refs/heads/claude/51', 'is not yours to push'],
    ['HEAD:refs/tags/v1', 'Only branches may be pushed'],
    ['HEAD:refs/claude-hooks/x', 'Only branches may be pushed'],
    [':refs/heads/claude/5-old', 'Branches are not deleted from here'],
  ])('to %s is refused by name', async (refspec, words) => {
    forge.commit('refs/heads/claude/5-old', 'old', 'x', 'refs/heads/main');
    checkout = await workdir.prepare(agentSpec('', { remote }));
    const { audited } = await door();
    await commit('one');
    const before = git(forge.path, 'for-each-ref');
    const pushed = await agent('push', 'origin', refspec);
    expect(pushed.code).toBe(1);
    expect(JSON.stringify(pushed.stderr)).toContain(
      words.replaceAll('\\"', '\\\\\\"').replaceAll('\\\\\\"', '\\"'),
    );
    expect(pushed.stderr).toContain('pre-receive hook declined');
    expect(git(forge.path, 'for-each-ref')).toBe(before);
    expect(audited).toEqual([expect.objectContaining({ decision: 'denied' })]);
  });

  test('of two branches at once, or in a run that may push nothing, is refused', async () => {
    const first = await door();
    await commit('one');
    const both = await agent('push', 'origin', 'HEAD:claude/5', 'HEAD:claude/5-b');
    expect(both.stderr).toContain('Push one branch at a time');
    await first.close();
    await door({
      policy: {
        ...POLICY,
        closed: { what: 'This run may only read and comment.', todo: 'Answer in words.' },
      },
    });
    expect((await agent('push')).stderr).toContain('This run may only read and comment');
    expect(forge.head('refs/heads/claude/5')).toBe(null);
  });

  test('to a further branch of the item is taken', async () => {
    await door();
    const sha = await commit('one');
    expect((await agent('push', 'origin', 'HEAD:refs/heads/claude/5-experiment')).code).toBe(0);
    expect(forge.head('refs/heads/claude/5-experiment')).toBe(sha);
  });

  test.each(['.github/workflows/ci.yml', '.forgejo/workflows/a/b.yaml', '.GitHub/Actions/x/action.yml'])(
    'with %s is refused, during the run and after it, unless it may',
    async (file) => {
      const first = await door();
      const sha = await commit(file);
      const pushed = await agent('push');
      expect(pushed.code).toBe(1);
      expect(pushed.stderr).toContain('is not yours to change');
      expect(
        await workdir.push(checkout, { remote, branch: 'claude/5', check: checkOf(POLICY) }),
      ).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('is not yours to change') });
      expect(forge.head('refs/heads/claude/5')).toBe(null);
      await first.close();
      const protection = { ...POLICY.protection, workflowFiles: true };
      await door({ policy: { ...POLICY, protection } });
      expect((await agent('push')).code).toBe(0);
      expect(forge.head('refs/heads/claude/5')).toBe(sha);
    },
  );

  test('that merges a base with new workflow files is taken', async () => {
    await door();
    await commit('one');
    const theirs = forge.commit('refs/heads/main', '.github/workflows/ci.yml', 'on: push');
    expect((await agent('fetch', '-q')).code).toBe(0);
    expect(git(checkout.path, 'rev-parse', 'origin/main')).toBe(theirs);
    expect((await agent('merge', '-q', 'origin/main', '-m', 'merge')).code).toBe(0);
    expect(await agent('push')).toMatchObject({ code: 0 });
  });

  test('of commits in another name is refused, and the remedy works', async () => {
    await door();
    const env = { GIT_COMMITTER_NAME: 'Boss', GIT_COMMITTER_EMAIL: 'boss@example.test' };
    await run(['git', 'commit', '-q', '--allow-empty', '-m', 'forged'], { cwd: checkout.path, env });
    const pushed = await agent('push');
    expect(pushed.code).toBe(1);
    expect(pushed.stderr).toContain('not by this agent (Dev Agent <dev@example.test>)');
    expect((await agent('rebase', '-q', '--force-rebase', 'origin/main')).code).toBe(0);
    expect((await agent('push')).code).toBe(0);
  });

  test('that is too large is refused, and nothing of it stays', async () => {
    await door({ policy: { ...POLICY, maxBytes: 20_000 } });
    await commit('large', randomBytes(40_000).toString('base64'));
    const pushed = await agent('push');
    expect(pushed.stderr).toContain('larger than 20000 bytes');
    expect(pushed.code).toBe(1);
    expect(existsSync(join(checkout.relay.root, 'incoming/pack'))).toBe(false);
    expect(existsSync(join(folder.path, 'work/quarantine', checkout.conversation))).toBe(false);
  });

  test("hands on the forge's own words", async () => {
    mkdirSync(join(forge.path, 'hooks'), { recursive: true });
    const hook = join(forge.path, 'hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "line length" >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    await door();
    await commit('one');
    const pushed = await agent('push');
    expect(pushed.code).toBe(1);
    expect(pushed.stderr).toContain('The forge says: line length');
  });

  test('of a run that was replaced is not sent', async () => {
    await door({
      assertMine: async () => {
        throw new LeaseLost('gone');
      },
    });
    await commit('one');
    expect((await agent('push')).stderr).toContain('This run was replaced by another');
    expect(forge.head('refs/heads/claude/5')).toBe(null);
  });

  test('two at once: both are answered, one after another', async () => {
    const { audited } = await door();
    await commit('one');
    const pushes = await Promise.all([
      agent('push', 'origin', 'HEAD:refs/heads/claude/5-a'),
      agent('push', 'origin', 'HEAD:refs/heads/claude/5-b'),
    ]);
    expect(pushes.map((p) => p.code)).toEqual([0, 0]);
    expect(audited.map((a) => a.decision)).toEqual(['allowed', 'allowed']);
  });
});

describe('a forced push', () => {
  test('of its own branch is taken while the forge is where the agent has seen it', async () => {
    await door();
    await commit('one');
    await agent('push');
    await agent('commit', '-q', '--amend', '-m', 'amended');
    expect((await agent('push')).code).toBe(1);
    expect((await agent('push', '--force-with-lease')).code).toBe(0);
    expect(forge.head('refs/heads/claude/5')).toBe(git(checkout.path, 'rev-parse', 'HEAD'));
  });

  test('over what others pushed since is refused until it was fetched', async () => {
    await door();
    await commit('one');
    await agent('push');
    const theirs = forge.commit('refs/heads/claude/5', 'theirs', 'x');
    await agent('commit', '-q', '--amend', '-m', 'amended');
    const blind = await agent('push', '--force');
    expect(blind.code).toBe(1);
    expect(blind.stderr).toContain('Somebody has pushed to claude/5 since the agent last looked');
    expect(forge.head('refs/heads/claude/5')).toBe(theirs);
    // A plain fetch: seen now, and the lease of git itself holds as well.
    await agent('fetch', '-q');
    expect(git(checkout.path, 'rev-parse', 'origin/claude/5')).toBe(theirs);
    expect(await agent('push', '--force-with-lease')).toMatchObject({ code: 0 });
  });

  test("of somebody else's branch is refused", async () => {
    forge.commit('refs/heads/feature', 'theirs', 'x', 'refs/heads/main');
    const at = { kind: 'branch' as const, branch: 'feature', base: 'main' };
    checkout = await workdir.prepare(
      agentSpec('', { remote, at, conversation: checkout.conversation.replace('1', '2') }),
    );
    await door({ policy: { ...POLICY, branch: 'feature' } });
    await agent('commit', '-q', '--amend', '-m', 'amended');
    const pushed = await agent('push', '--force');
    expect(pushed.code).toBe(1);
    expect(pushed.stderr).toContain('a forced push would lose it');
  });
});

describe('a forge that does not answer', () => {
  test("keeps the conversation's branch for the push after the run, even of another local branch", async () => {
    const opened = await door();
    server.refuseWith = 503;
    await agent('checkout', '-q', '-b', 'elsewhere');
    const sha = await commit('one');
    const pushed = await agent('push', 'origin', 'HEAD:claude/5');
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).toContain('are forwarded to claude/5 after the run');
    expect(opened.audited.at(-1)).toMatchObject({ decision: 'allowed', detail: { outcome: 'kept', sha } });
    const other = await agent('push', 'origin', 'HEAD:claude/5-b');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('try again later');
    await opened.close();
    server.refuseWith = null;
    expect(forge.head('refs/heads/claude/5')).toBe(null);
    expect(await workdir.push(checkout, { remote, branch: 'claude/5' })).toEqual({ kind: 'pushed', sha });
    expect(git(checkout.relay.origin, 'for-each-ref', 'refs/claude-hooks/kept')).toBe('');
  });

  test('does not keep a fetch from being answered', async () => {
    const { audited } = await door();
    server.refuseWith = 503;
    const fetched = await agent('fetch');
    expect(fetched.code).toBe(0);
    expect(fetched.stderr).toContain('What follows is what was known of it before.');
    expect(audited.at(-1)).toMatchObject({ action: 'fetch', decision: 'failed' });
  });

  test('a token that was replaced in mid-run is read again, once', async () => {
    const good = remote;
    let asked = 0;
    const { warnings } = await door({
      remote: () => {
        asked += 1;
        return asked <= 2 ? { ...good, token: 'old' } : good;
      },
    });
    const sha = await commit('one');
    expect((await agent('push')).code).toBe(0);
    expect(forge.head('refs/heads/claude/5')).toBe(sha);
    expect(warnings).toHaveLength(1);
    expect(asked).toBe(3);
  });
});

describe('signing', () => {
  async function signed(change: Parameters<typeof openDoor>[1] = {}) {
    const key = join(folder.path, 'key');
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key], { cwd: '/' });
    checkout = await workdir.prepare(agentSpec('', { remote, sign: true }));
    return { key, ...(await door({ signingKeyFile: key, ...change })) };
  }

  test('happens outside, for commits of the agent, and git verifies it', async () => {
    const { key, audited } = await signed();
    const sha = await commit('one');
    expect(audited).toEqual([expect.objectContaining({ action: 'sign', decision: 'allowed' })]);
    const allowed = join(folder.path, 'allowed');
    writeFileSync(allowed, `dev@example.test ${readFileSync(`${key}.pub`, 'utf8')}`);
    const verify = ['-c', `gpg.ssh.allowedSignersFile=${allowed}`, '-c', 'gpg.ssh.program=ssh-keygen'];
    const verified = await agentGit(checkout.path, ...verify, 'verify-commit', sha);
    expect(verified).toMatchObject({ code: 0, stderr: expect.stringContaining('Good "git" signature') });
    expect((await agent('push')).code).toBe(0);
    const secret = readFileSync(key, 'latin1').split('\n')[2]!;
    for (const [path, text] of contents(join(folder.path, 'work'))) {
      expect(text.includes(secret), path).toBe(false);
    }
  });

  test('is refused for tags and for commits in another name', async () => {
    await signed();
    await commit('one');
    const tag = await agent('tag', '-s', '-m', 'tag', 'v1');
    // Some versions of git make the tag without a signature then, and exit with 0.
    expect(tag.stderr).toContain('Only commits are signed');
    const env = { GIT_COMMITTER_NAME: 'Boss', GIT_COMMITTER_EMAIL: 'boss@example.test' };
    const forged = await run(['git', 'commit', '-q', '--allow-empty', '-m', 'x'], {
      cwd: checkout.path,
      env,
    });
    expect(forged.code).not.toBe(0);
    expect(forged.stderr).toContain(`Only commits by ${IDENTITY.name}`);
  });
});
