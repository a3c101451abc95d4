import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startPocketForge } from './pocket-forge.ts';
import {
  cloneAs,
  commitAndPush,
  git,
  type Json,
  type Listener,
  REPO,
  SECRET,
  startListener,
  startTrial,
  type Trial,
} from './pocket-forge-trial.ts';

let trial: Trial;
let listener: Listener;
let clone: string;
beforeEach(async () => {
  trial = await startTrial();
  listener = await startListener();
  await trial.forge.as('ada').addHook(REPO, { url: listener.url, secret: SECRET });
  clone = await cloneAs(trial, 'bo');
});
afterEach(async () => {
  await trial.end();
  await listener.end();
});

/** what arrived since the last call */
async function news(): Promise<string[]> {
  await trial.forge.settled();
  const names = listener.names();
  listener.received.length = 0;
  return names;
}

async function lastBody(): Promise<Json> {
  await trial.forge.settled();
  return listener.received.at(-1)?.json;
}

describe('a pull request from opening to merge', () => {
  test('open, review, push again, approve, merge: the hooks, the state and the commit', async () => {
    const [ada, bo] = [trial.forge.as('ada'), trial.forge.as('bo')];
    const { number: issue } = await ada.createIssue(REPO, { title: 'Need two', body: '' });
    const first = await commitAndPush(clone, { branch: 'two', file: 'two', content: '1\n' });
    await news();
    const pull = { title: 'Two', body: `Closes #${issue}`, head: 'two', base: 'main', assignees: ['bo'] };
    const { number } = await bo.openPull(REPO, pull);
    await bo.requestReview(REPO, number, ['ada']);
    expect((await lastBody()).requested_reviewer.login).toBe('ada');
    await ada.review(REPO, number, { event: 'REQUEST_CHANGES', body: 'More' });
    const review = await lastBody();
    expect(review).toMatchObject({
      action: 'reviewed',
      review: { type: 'pull_request_review_rejected', content: 'More' },
      requested_reviewer: { login: 'ada' },
      sender: { login: 'ada' },
      // Whoever gave a verdict stays among them.
      pull_request: { requested_reviewers: [{ login: 'ada' }], head: { sha: first } },
    });
    // The permissions are those of the author of the pull request, not of the reviewer.
    expect(review.repository.permissions.admin).toBe(false);
    await ada.review(REPO, number, { event: 'COMMENT', body: 'and' });
    expect(listener.received.at(-1)).toBeDefined();
    await bo.comment(REPO, number, 'Will do');
    expect(await lastBody()).toMatchObject({ is_pull: true, pull_request: { number }, issue: { number } });
    const coarse = listener.received.map((r) => r.headers['x-forgejo-event']);
    expect(coarse.slice(-3)).toEqual(['pull_request_rejected', 'pull_request_comment', 'issue_comment']);
    expect(await news()).toEqual([
      'pull_request opened',
      'pull_request_assign assigned',
      'pull_request_review_request review_requested',
      'pull_request_review_rejected reviewed',
      'pull_request_review_comment reviewed',
      'pull_request_comment created',
    ]);
    const second = await commitAndPush(clone, { branch: 'two', file: 'two', content: '1\n2\n' });
    expect(await lastBody()).toMatchObject({
      action: 'synchronized',
      pull_request: { head: { sha: second } },
    });
    expect(await news()).toEqual(['push', 'pull_request_sync synchronized']);
    await ada.review(REPO, number, { event: 'APPROVED', body: '' });
    const merge = { Do: 'merge', head_commit_id: first };
    const path = `/repos/${REPO}/pulls/${number}/merge`;
    expect((await trial.call('ada', 'POST', path, merge)).status).toBe(409);
    expect((await trial.call('cy', 'POST', path, { Do: 'merge' })).status).toBe(403);
    expect((await trial.call('ada', 'POST', path, { ...merge, head_commit_id: second })).status).toBe(200);
    expect((await trial.call('ada', 'POST', path, { Do: 'merge' })).status).toBe(405);
    await trial.forge.settled();
    const [approved, closed, done, push] = listener.received.map((r) => r.json);
    expect(await news()).toEqual([
      'pull_request_review_approved reviewed',
      'pull_request closed',
      'issues closed',
      'push',
    ]);
    expect(approved.review).toEqual({ type: 'pull_request_review_approved', content: '' });
    expect(closed.pull_request).toMatchObject({ merged: true, state: 'closed', merged_by: { login: 'ada' } });
    expect(push).toMatchObject({ ref: 'refs/heads/main', after: closed.pull_request.merge_commit_sha });
    expect(done).toMatchObject({ number: issue, commit_id: push.after });
    await git(clone, 'fetch', '-q', 'origin');
    const parents = (await git(clone, 'log', '-1', '--format=%P %an', 'origin/main')).out;
    expect(parents).toMatch(new RegExp(`^[0-9a-f]{40} ${second} Ada Lovelace$`));
  });

  test('squash and rebase make one line of history; a conflict is refused until it is gone', async () => {
    const [ada, bo] = [trial.forge.as('ada'), trial.forge.as('bo')];
    await commitAndPush(clone, { branch: 'left', file: 'same', content: 'left\n' });
    await git(clone, 'checkout', '-q', 'main');
    await commitAndPush(clone, { branch: 'right', file: 'same', content: 'right\n' });
    await git(clone, 'checkout', '-q', 'main');
    await commitAndPush(clone, { branch: 'apart', file: 'apart', content: 'apart\n' });
    const open = async (head: string) =>
      (await bo.openPull(REPO, { title: head, body: '', head, base: 'main' })).number;
    const [left, right, apart] = [await open('left'), await open('right'), await open('apart')];
    await ada.merge(REPO, left, { style: 'squash', deleteBranch: true });
    const refused = await trial.call('ada', 'POST', `/repos/${REPO}/pulls/${right}/merge`, { Do: 'squash' });
    expect(refused.status).toBe(405);
    expect((await trial.call('ada', 'GET', `/repos/${REPO}/pulls/${right}`)).json.mergeable).toBe(false);
    await expect(ada.merge(REPO, apart, { style: 'fast-forward-only' })).rejects.toMatchObject({
      status: 409,
    });
    await ada.merge(REPO, apart, { style: 'rebase' });
    await git(clone, 'fetch', '-q', '--prune', 'origin');
    const subjects = (await git(clone, 'log', '--format=%s', '--first-parent', 'origin/main')).out;
    expect(subjects.split('\n')).toEqual(['Write apart', `left (#${left})`, 'First commit']);
    expect((await git(clone, 'branch', '-r')).out).not.toContain('origin/left');
    const merged = (await trial.call('ada', 'GET', `/repos/${REPO}/pulls/${left}`)).json;
    expect(merged.head.ref).toBe(`refs/pull/${left}/head`);
    expect((await git(clone, 'fetch', '-q', 'origin', `refs/pull/${left}/head`)).exitCode).toBe(0);
  });

  test('deleting the head branch closes the pull request, which then cannot open again', async () => {
    await commitAndPush(clone, { branch: 'gone', file: 'gone', content: 'x' });
    const bo = trial.forge.as('bo');
    const { number } = await bo.openPull(REPO, { title: 'Gone', body: '', head: 'gone', base: 'main' });
    await news();
    await git(clone, 'push', '-q', 'origin', ':gone');
    expect(await lastBody()).toMatchObject({ action: 'closed', pull_request: { merged: false } });
    expect(await news()).toEqual(['pull_request closed']);
    await expect(bo.reopen(REPO, number)).rejects.toMatchObject({ status: 412 });
  });
});

test('a restart on the same folder and port keeps everything but the tokens, which are not on disk', async () => {
  const ada = trial.forge.as('ada');
  const { url } = trial.forge;
  await commitAndPush(clone, { branch: 'kept', file: 'kept', content: 'x' });
  const { number } = await ada.createIssue(REPO, { title: 'Kept', body: 'Text', labels: ['bug'] });
  await ada.comment(REPO, number, 'A comment');
  await ada.openPull(REPO, { title: 'P', body: '', head: 'kept', base: 'main' });
  await ada.review(REPO, number + 1, { event: 'COMMENT', body: 'Hm' });
  const before = structuredClone(trial.forge.state);
  await news();
  await trial.restart();
  expect(trial.forge.url).toBe(url);
  expect(trial.forge.state).toEqual({ ...before, waiting: [] });
  expect(await readFile(join(trial.folder, 'pocket-forge.json'), 'utf8')).not.toContain('ada-token');
  expect((await git(clone, 'fetch', 'origin')).exitCode).toBe(0);
  // The hook is still there, and numbers go on.
  expect((await trial.forge.as('cy').createIssue(REPO, { title: 'Next', body: '' })).number).toBe(number + 2);
  expect(await news()).toEqual(['issues opened']);
});

test('a delivery on its way at close fails; the one behind it goes out after the next start', async () => {
  const deaf = await startListener(null);
  const ada = trial.forge.as('ada');
  try {
    await trial.forge.createRepository({ owner: 'ada', name: 'two', files: { a: 'a' } });
    await ada.addHook('ada/two', { url: deaf.url, secret: SECRET });
    await ada.addHook('ada/two', { url: listener.url, secret: SECRET });
    await ada.createIssue('ada/two', { title: 'One', body: '' });
    await trial.forge.close();
    expect(trial.forge.deliveries.map((d) => d.state)).toEqual(['failed', 'waiting']);
    expect(listener.received).toEqual([]);
    await trial.restart();
    expect(await news()).toEqual(['issues opened']);
    expect(deaf.received.length).toBeLessThanOrEqual(1);
  } finally {
    await deaf.end();
  }
});

test('changes asked for at once are made one after another', async () => {
  const people = ['ada', 'bo', 'cy'].map((login) => trial.forge.as(login));
  const made = await Promise.all(people.map((p) => p.createIssue(REPO, { title: p.login, body: '' })));
  expect(made.map((m) => m.number)).toEqual([1, 2, 3]);
});

test('what it refuses to start with, and to be asked', async () => {
  const folder = join(trial.desk, 'other');
  const users = [{ login: 'a', token: 't' }];
  await expect(startPocketForge({ folder, users, host: '0.0.0.0' })).rejects.toThrow('loopback');
  await expect(startPocketForge({ folder, users: [...users, { login: 'b', token: 't' }] })).rejects.toThrow(
    'twice',
  );
  expect(() => trial.forge.as('nobody')).toThrow('nobody');
  const again = { owner: 'ada', name: 'Widgets', files: {} };
  await expect(trial.forge.createRepository(again)).rejects.toMatchObject({ status: 409 });
  await expect(trial.forge.createRepository({ ...again, name: '../src/up' })).rejects.toMatchObject({
    status: 422,
  });
});
