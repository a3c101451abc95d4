import { afterEach, describe, expect, test } from 'vitest';
import { fixture, type Json, PULL } from '../../../test/fixtures/bodies.ts';
import { forge, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { ForgeUnavailable } from '../../errors.ts';

afterEach(stopForges);

const ada = { id: 11, login: 'ada' };
const pull = (fields: Json = {}): Json => ({ ...fixture(PULL).pull_request, ...fields });

describe('items', () => {
  const issue = { number: 5, title: 'Pears', user: ada, state: 'open', labels: null, assignees: null };

  test('an issue is one call; a pull request is read from its own route too', async () => {
    const { client, seen } = await forge(({ path }) => {
      if (path.endsWith('/issues/5')) return { json: { ...issue, pull_request: null } };
      if (path.endsWith('/issues/1'))
        return { json: { ...issue, number: 1, pull_request: { merged: false } } };
      return { json: pull() };
    });
    expect(await client.getItem(repository, 5)).toMatchObject({
      kind: 'issue',
      number: 5,
      pull: null,
      labels: [],
    });
    expect(await client.getItem(repository, 1)).toMatchObject({
      kind: 'pull',
      updatedAt: '2025-08-05T15:06:49Z',
      pull: { headRef: '6543-patch-1', fork: false, htmlUrl: expect.stringContaining('/pulls/1') },
    });
    expect(seen.map(({ path }) => path.split('/').slice(-2).join('/'))).toEqual([
      'issues/5',
      'issues/1',
      'pulls/1',
    ]);
  });

  test('findPulls takes the open ones of that branch, and no fork with the same branch name', async () => {
    const one = pull();
    const fork = pull({
      id: 2,
      number: 2,
      head: { ...one.head, repo_id: 9, repo: { id: 9, full_name: 'eve/x' } },
    });
    const pages = [[fork, pull({ id: 3, number: 3, base: { ...one.base, ref: 'next' } })], [one], []];
    const { client, seen } = await forge(({ query }) => ({ json: pages[Number(query.get('page')) - 1] }));
    expect((await client.findPulls(repository, '6543-patch-1')).map(({ number }) => number)).toEqual([3, 1]);
    expect(seen[0]!.query.get('state')).toBe('open');
    expect(await client.findPulls(repository, 'nothing')).toEqual([]);
  });

  test('openPull and updatePull send exactly what was given', async () => {
    const { client, seen } = await forge(() => ({ status: 201, json: pull() }));
    await client.openPull(repository, { title: 't', body: 'b', head: 'h', base: 'main' });
    await client.updatePull(repository, 1, { title: 'new' });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        path: '/repos/orchard/pears/pulls',
        body: { title: 't', body: 'b', head: 'h', base: 'main' },
      },
      { method: 'PATCH', path: '/repos/orchard/pears/pulls/1' },
    ]);
    expect(seen[1]!.body).toEqual({ title: 'new' });
  });
});

describe('reviews', () => {
  const review = (id: number, state: string, more: Json = {}): Json => ({
    id,
    user: ada,
    state,
    body: `body ${id}`,
    commit_id: 'c'.repeat(40),
    submitted_at: `2026-05-04T10:00:0${9 - id}Z`,
    comments_count: 0,
    ...more,
  });

  test('only submitted verdicts, oldest first, with inline comments; no drafts, requests or dismissed ones', async () => {
    const reviews = [
      review(1, 'APPROVED', { user: null }),
      review(2, 'REQUEST_CHANGES', { comments_count: 2 }),
      review(3, 'COMMENT', { comments_count: undefined }),
      review(4, 'PENDING'),
      review(5, 'REQUEST_REVIEW'),
      review(6, 'APPROVED', { dismissed: true }),
    ];
    const { client, seen } = await forge(({ path, query }) => {
      if (path.endsWith('/2/comments')) {
        return {
          json: [
            { id: 51, path: 'a.ts', position: 3, body: 'x' },
            { id: 52, path: 'b.ts', position: 0, body: 'old side' },
          ],
        };
      }
      if (path.endsWith('/3/comments')) return { text: 'null' };
      return { json: query.get('page') === '1' ? reviews : [] };
    });
    const listed = await client.listReviews(repository, 6);
    expect(listed.map(({ id, verdict }) => [id, verdict])).toEqual([
      [3, 'commented'],
      [2, 'changes_requested'],
      [1, 'approved'],
    ]);
    expect(listed[1]!.inline).toMatchObject([
      { path: 'a.ts', line: 3, body: 'x' },
      { path: 'b.ts', line: null, body: 'old side' },
    ]);
    expect(listed[2]!.author.id).toBe(-1);
    expect(seen.filter(({ path }) => path.endsWith('/comments'))).toHaveLength(2);
  });

  test('positions are lines of the new file; a comment without a line goes into the body', async () => {
    const { client, seen } = await forge(() => ({ json: { id: 77 } }));
    const inline = [
      { path: 'a.ts', line: 12, body: 'here' },
      { path: 'b.ts', line: null, body: 'somewhere' },
    ];
    const review = { verdict: 'changes_requested', body: 'Please', commitId: 'c1', inline } as const;
    expect(await client.submitReview(repository, 6, { ...review, inline })).toEqual({ id: 77 });
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/repos/orchard/pears/pulls/6/reviews' });
    expect(seen[0]!.body).toEqual({
      event: 'REQUEST_CHANGES',
      body: 'Please\n\n`b.ts`: somewhere',
      commit_id: 'c1',
      comments: [{ path: 'a.ts', body: 'here', new_position: 12 }],
    });
  });

  test('two reviews of one pull request wait for each other, even when the first fails', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client, seen } = await forge(async ({ path, body }) => {
      if (path === '/user') return { json: { id: 1, login: 'a' } };
      if (body?.body !== 'first') return { json: { id: 2 } };
      await held;
      return { status: 500 };
    });
    const submit = (body: string) =>
      client.submitReview(repository, 6, { verdict: 'commented', body, commitId: '', inline: [] });
    const first = submit('first').catch((error: unknown) => error);
    const second = submit('second');
    // Several whole exchanges later the second review still waits, because the first has no answer yet.
    for (let exchange = 0; exchange < 5; exchange += 1) await client.self();
    expect(seen.filter(({ body }) => body?.body === 'second')).toEqual([]);
    release();
    expect(await first).toBeInstanceOf(ForgeUnavailable);
    expect(await second).toEqual({ id: 2 });
  });
});

describe('ciState', () => {
  const sha = 'a'.repeat(40);

  /** A forge with these statuses and runs; `runs` may be the status of a server without such a list. */
  async function state(statuses: Json[], runs: Json[] | number): Promise<unknown> {
    const { client, seen } = await forge(({ path, query }) => {
      const first = query.get('page') === '1';
      if (path.endsWith('/status'))
        return { json: { state: '', total_count: 1, statuses: first ? statuses : null } };
      if (typeof runs === 'number') return { status: runs, json: { message: 'no' } };
      return { json: { total_count: 1, workflow_runs: first ? runs : [] } };
    });
    const answer = await client.ciState(repository, sha).catch((error: unknown) => error);
    expect(seen.at(-1)!.query.get('head_sha')).toBe(sha);
    return answer;
  }
  const status = (id: number, word: string): Json => ({ id, context: `ci/${id}`, status: word });
  const run = (id: number, word: string, more: Json = {}): Json => ({
    id,
    workflow_id: 'test.yml',
    event: 'push',
    status: word,
    ...more,
  });

  test('a failure beside what still runs says so', async () => {
    const statuses = [status(1, 'pending'), status(2, 'error')];
    expect(await state(statuses, [])).toEqual({ state: 'failure', failed: ['ci/2'], running: true });
  });

  test.each([
    ['nothing at all', [], [], 'none', []],
    ['an old server without a list of runs', [], 404, 'none', []],
    ['one that forbids the method', [status(1, 'success')], 405, 'success', []],
    // Gitea shows its list of runs to the owner alone.
    ['one that shows runs to the owner alone', [status(1, 'success')], 403, 'success', []],
    [
      'a status of a run that a person cancelled',
      [{ ...status(1, 'failure'), description: 'Has been cancelled' }, status(2, 'success')],
      [],
      'success',
      [],
    ],
    ['success and warning', [status(1, 'success'), status(2, 'warning')], [], 'success', []],
    ['a green status while a run is going', [status(1, 'success')], [run(1, 'running')], 'pending', []],
    ['a run that failed', [], [run(1, 'failure')], 'failure', ['test.yml']],
    ['a run that a person cancelled', [], [run(1, 'cancelled')], 'none', []],
    ['a run that failed and was then repeated', [], [run(2, 'success'), run(1, 'failure')], 'success', []],
    [
      'a run of another event',
      [],
      [run(2, 'success'), run(1, 'failure', { event: 'pull_request' })],
      'failure',
      ['test.yml'],
    ],
    ['a run of another commit', [], [run(1, 'failure', { commit_sha: 'b'.repeat(40) })], 'none', []],
    [
      'Gitea’s words',
      [],
      [{ id: 1, path: 'x/ci.yml@refs/heads/m', status: 'completed', conclusion: 'failure', head_sha: sha }],
      'failure',
      ['ci.yml'],
    ],
  ] as [string, Json[], Json[] | number, string, string[]][])(
    '%s',
    async (_what, statuses, runs, expected, failed) => {
      expect(await state(statuses, runs)).toEqual({ state: expected, failed });
    },
  );

  test('some servers answer null for a commit without any status', async () => {
    const { client } = await forge(() => ({ text: 'null' }));
    expect(await client.ciState(repository, sha)).toEqual({ state: 'none', failed: [] });
  });

  test('a forge in trouble is not a commit without CI', async () => {
    expect(await state([], 502)).toBeInstanceOf(ForgeUnavailable);
  });
});
