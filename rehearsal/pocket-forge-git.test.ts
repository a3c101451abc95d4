import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  cloneAs,
  cloneUrl,
  commitAndPush,
  git,
  type Listener,
  REPO,
  SECRET,
  startListener,
  startTrial,
  type Trial,
} from './pocket-forge-trial.ts';

const ZERO = '0'.repeat(40);

describe('git over HTTP', () => {
  let trial: Trial;
  let listener: Listener;
  beforeAll(async () => {
    trial = await startTrial();
    listener = await startListener();
    const events = ['push', 'create', 'delete', 'issues', 'pull_request'];
    await trial.forge.as('ada').addHook(REPO, { url: listener.url, secret: SECRET, events });
  });
  afterAll(async () => {
    await trial.end();
    await listener.end();
  });

  test('an anonymous clone of a public repository has the first commit and its modes', async () => {
    const clone = join(trial.desk, 'anonymous');
    const result = await git(trial.desk, 'clone', '-q', cloneUrl(trial.forge, null), clone);
    expect(result).toEqual({ exitCode: 0, out: '' });
    expect(await readFile(join(clone, 'README.md'), 'utf8')).toBe('# Widgets\n');
    expect((await stat(join(clone, 'bin/test'))).mode & 0o100).toBe(0o100);
    expect((await stat(join(clone, 'README.md'))).mode & 0o100).toBe(0);
  });

  test('pushing needs a token, a right one, and write permission', async () => {
    const clone = await cloneAs(trial, 'bo');
    await git(clone, 'commit', '-q', '--allow-empty', '-m', 'Nothing');
    const push = (password: string | null) =>
      git(clone, 'push', cloneUrl(trial.forge, password), 'HEAD:refs/heads/refused');
    expect((await push(null)).out).toMatch(/could not read|Authentication failed/);
    expect((await push('nonsense')).out).toContain('Authentication failed');
    expect((await push('cy-token')).out).toContain('403');
    const answer = await fetch(`${trial.forge.url}/${REPO}.git/info/refs?service=git-receive-pack`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Basic');
    expect((await git(clone, 'ls-remote', 'origin', 'refused')).out).toBe('');
  });

  test('the token works as the user name too', async () => {
    const url = trial.forge.url.replace('://', '://bo-token:x-oauth-basic@');
    expect((await git(trial.desk, 'ls-remote', `${url}/${REPO}`, 'main')).out).toContain('refs/heads/main');
  });

  test('a push sends create for a new branch, push, and delete when it goes', async () => {
    const clone = await cloneAs(trial, 'bo');
    await trial.forge.settled();
    const start = listener.received.length;
    const sha = await commitAndPush(clone, {
      branch: 'feature/x',
      file: 'x',
      content: '<x>\n',
      message: 'Add <x>',
    });
    await git(clone, 'push', '-q', 'origin', ':feature/x');
    await trial.forge.settled();
    const [create, push, gone] = listener.received.slice(start).map((r) => r.json);
    expect(listener.names().slice(start)).toEqual(['create', 'push', 'delete']);
    expect(push).toMatchObject({
      ref: 'refs/heads/feature/x',
      before: ZERO,
      after: sha,
      total_commits: 1,
      pusher: { login: 'bo' },
      head_commit: { id: sha, added: ['x'], author: { username: 'bo' } },
    });
    expect(push.commits[0].message).toBe('Add <x>\n');
    expect(create).toMatchObject({ ref: 'refs/heads/feature/x', ref_type: 'branch', sha });
    expect(create.repository).not.toHaveProperty('permissions');
    expect(gone).toMatchObject({ ref: 'refs/heads/feature/x', ref_type: 'branch', pusher_type: 'user' });
  });

  test('tags: push and create, then push and delete; a forced push is an ordinary one', async () => {
    const clone = await cloneAs(trial, 'bo');
    const first = await commitAndPush(clone, { branch: 'forced', file: 'f', content: '1\n' });
    await git(clone, 'tag', 'v1');
    await trial.forge.settled();
    const start = listener.received.length;
    await git(clone, 'push', '-q', 'origin', 'v1');
    await git(clone, 'push', '-q', 'origin', ':v1');
    await git(clone, 'commit', '-q', '--amend', '-m', 'Again');
    expect((await git(clone, 'push', '-q', '--force', 'origin', 'forced')).exitCode).toBe(0);
    await trial.forge.settled();
    expect(listener.names().slice(start)).toEqual(['push', 'create', 'push', 'delete', 'push']);
    expect(listener.received[start + 2]?.json).toMatchObject({ after: ZERO, head_commit: null });
    const amended = (await git(clone, 'rev-parse', 'HEAD')).out;
    expect(listener.received[start + 4]?.json).toMatchObject({ before: first, after: amended });
  });

  test('a push too big for one buffer is sent in chunks and arrives whole', async () => {
    const clone = await cloneAs(trial, 'bo');
    const content = randomBytes(1_500_000).toString('base64');
    const sha = await commitAndPush(clone, { branch: 'big', file: 'big', content });
    expect((await git(clone, 'ls-remote', 'origin', 'big')).out).toContain(sha);
    const again = join(trial.desk, 'shallow');
    await git(trial.desk, 'clone', '-q', '--depth=1', '--branch=big', cloneUrl(trial.forge, null), again);
    expect(await readFile(join(again, 'big'), 'utf8')).toBe(content);
  });

  test('a hook of type gitea gets short refs and compact JSON where a branch comes or goes', async () => {
    const other = await startListener();
    try {
      const hook = { url: other.url, secret: SECRET, events: ['create'], type: 'gitea' as const };
      await trial.forge.as('ada').addHook(REPO, hook);
      await commitAndPush(await cloneAs(trial, 'bo'), { branch: 'short/ref', file: 's', content: 's' });
      await trial.forge.settled();
      expect(other.received[0]?.json).toMatchObject({ ref: 'short/ref', ref_type: 'branch' });
      expect(other.received[0]?.raw.toString()).not.toContain('\n');
    } finally {
      await other.end();
    }
  });

  test('a commit on the default branch closes the issues it names, with the commit', async () => {
    const { number } = await trial.forge.as('cy').createIssue(REPO, { title: 'Broken', body: '' });
    const clone = await cloneAs(trial, 'bo');
    const sha = await commitAndPush(clone, {
      branch: 'main',
      file: 'fix',
      content: 'y',
      message: `Fixes #${number}`,
    });
    await trial.forge.settled();
    // As recorded: the issue is closed before the push is told.
    expect(listener.names().slice(-2)).toEqual(['issues closed', 'push']);
    const last = listener.received.at(-2)?.json;
    expect(last).toMatchObject({ action: 'closed', number, commit_id: sha, sender: { login: 'bo' } });
    // The permissions are the author's, who only reads, although bo did it.
    expect(last.repository.permissions).toEqual({ admin: false, push: false, pull: true });
  });
});

test('a private repository asks strangers for a token and hides from those without permission', async () => {
  const trial = await startTrial({ private: true });
  try {
    const list = (password: string | null) => git(trial.desk, 'ls-remote', cloneUrl(trial.forge, password));
    expect((await list(null)).exitCode).not.toBe(0);
    expect((await list('cy-token')).out).toContain('not found');
    expect((await list('bo-token')).out).toContain('refs/heads/main');
    expect((await trial.call('cy', 'GET', `/repos/${REPO}`)).status).toBe(404);
    expect((await trial.call(null, 'GET', `/repos/${REPO}`)).status).toBe(404);
    expect((await trial.call('root', 'GET', `/repos/${REPO}`)).status).toBe(200);
  } finally {
    await trial.end();
  }
});
