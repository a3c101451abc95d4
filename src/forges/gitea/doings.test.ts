/** The smaller writes, comments by id, merging, and what CI tells, as they go over the wire. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Json } from '../../../test/fixtures/bodies.ts';
import { forge, type Reply, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';

afterEach(stopForges);

const BASE = '/repos/orchard/pears';
const ada = { id: 11, login: 'ada' };
const comment = (fields: Json = {}): Json => ({ id: 3, body: 'x', user: ada, html_url: 'h', ...fields });

describe('comments', () => {
  test.each([
    ['an issue', { issue_url: 'https://f/orchard/pears/issues/12', pull_request_url: '' }, 12],
    ['a pull request', { issue_url: '', pull_request_url: 'https://f/orchard/pears/pulls/13' }, 13],
  ])('one by id knows that it is on %s', async (_what, urls, itemNumber) => {
    const { client } = await forge(() => ({ json: comment(urls) }));
    expect(await client.getComment(repository, 3)).toMatchObject({ id: 3, itemNumber });
  });

  test('an inline comment has no such body: 204', async () => {
    const { client } = await forge(() => ({ status: 204 }));
    await expect(client.getComment(repository, 3)).rejects.toBeInstanceOf(ForgeMissing);
    await expect(client.editComment(repository, 3, 'y')).rejects.toBeInstanceOf(ForgeMissing);
  });

  test('editing sends the body alone', async () => {
    const { client, seen } = await forge(() => ({ json: comment({ body: 'y' }) }));
    expect((await client.editComment(repository, 3, 'y')).body).toBe('y');
    expect(seen).toMatchObject([{ method: 'PATCH', path: `${BASE}/issues/comments/3`, body: { body: 'y' } }]);
  });
});

describe('marks', () => {
  test('labels are added by name and removed by id; one that is not there costs no request', async () => {
    const { client, seen } = await forge(({ method }) =>
      method === 'GET' ? { json: [{ id: 7, name: 'bug' }] } : { status: 204 },
    );
    await client.addLabels(repository, 5, ['bug']);
    await client.removeLabel(repository, 5, 'bug');
    await client.removeLabel(repository, 5, 'other');
    expect(seen.map(({ method, path, body }) => [method, path.slice(BASE.length), body])).toEqual([
      ['POST', '/issues/5/labels', { labels: ['bug'] }],
      ['GET', '/issues/5/labels', null],
      ['DELETE', '/issues/5/labels/7', null],
      ['GET', '/issues/5/labels', null],
    ]);
  });

  test('labels of the organization count; an account that is a person has none', async () => {
    const answers = async (organization: Json) => {
      const { client } = await forge(({ path, query }) => {
        if (path === '/orgs/orchard/labels') return organization;
        return { json: query.get('page') === '1' ? [{ id: 1, name: 'bug' }] : [] };
      });
      return await client.listLabels(repository);
    };
    expect(await answers({ json: [{ id: 2, name: 'ours' }] })).toEqual(['bug', 'ours']);
    expect(await answers({ status: 404 })).toEqual(['bug']);
  });

  test('assignees, reviewers, reactions and statuses', async () => {
    const { client, seen } = await forge(() => ({ status: 201, json: {} }));
    await client.setAssignees(repository, 5, ['ada']);
    await client.requestReview(repository, 6, ['ada']);
    await client.react(repository, { number: 5 }, 'eyes');
    await client.react(repository, { commentId: 3 }, 'eyes');
    const status = { state: 'success', context: 'c', description: 'd', targetUrl: '' } as const;
    await client.setStatus(repository, 'a'.repeat(40), status);
    expect(seen.map(({ method, path, body }) => [method, path.slice(BASE.length), body])).toEqual([
      ['PATCH', '/issues/5', { assignees: ['ada'] }],
      ['POST', '/pulls/6/requested_reviewers', { reviewers: ['ada'] }],
      ['POST', '/issues/5/reactions', { content: 'eyes' }],
      ['POST', '/issues/comments/3/reactions', { content: 'eyes' }],
      [
        'POST',
        `/statuses/${'a'.repeat(40)}`,
        { state: 'success', context: 'c', description: 'd', target_url: '' },
      ],
    ]);
  });
});

describe('merge', () => {
  const how = { style: 'squash', headSha: 'a'.repeat(40), whenChecksSucceed: false } as const;

  test.each([
    [200, { kind: 'merged' }],
    [201, { kind: 'scheduled' }],
    [405, { kind: 'not-now', why: expect.stringContaining('not yet') }],
    [409, { kind: 'conflict', why: expect.stringContaining('not yet') }],
  ])('%i', async (status, outcome) => {
    const { client, seen } = await forge(() =>
      status < 300 ? { status } : { status, json: { message: 'not yet' } },
    );
    expect(await client.merge(repository, 6, how)).toEqual(outcome);
    expect(seen[0]!.body).toEqual({ Do: 'squash', head_commit_id: 'a'.repeat(40) });
  });

  test('scheduling is asked for by name; what is no answer about merging stays an error', async () => {
    const { client, seen } = await forge(() => ({ status: 403, json: { message: 'no' } }));
    await expect(client.merge(repository, 6, { ...how, whenChecksSucceed: true })).rejects.toBeInstanceOf(
      ForgeRefused,
    );
    expect(seen[0]!.body).toMatchObject({ merge_when_checks_succeed: true });
  });
});

test('items of both kinds, in the forge’s order', async () => {
  const issue = { number: 5, title: 'Pears', user: ada, state: 'open', labels: null, assignees: null };
  const { client, seen } = await forge(() => ({
    json: [
      { ...issue, number: 6, pull_request: { merged: false } },
      { ...issue, pull_request: null },
    ],
  }));
  const items = await client.listItems(repository, { state: 'all', limit: 500 });
  expect(items.map(({ kind, number }) => [kind, number])).toEqual([
    ['pull', 6],
    ['issue', 5],
  ]);
  expect(Object.fromEntries(seen[0]!.query)).toEqual({ state: 'all', limit: '50' });
});

describe('CI', () => {
  const sha = 'a'.repeat(40);

  test('runs in both wordings, newest first, of this commit alone', async () => {
    const runs = [
      { id: 1, workflow_id: 'ci.yml', status: 'failure', commit_sha: sha, title: 'One', html_url: 'h' },
      { id: 2, path: 'x/ci.yml@refs/heads/m', status: 'completed', conclusion: 'success', head_sha: sha },
      { id: 3, workflow_id: 'ci.yml', status: 'failure', commit_sha: 'b'.repeat(40) },
    ];
    const { client } = await forge(() => ({ json: { workflow_runs: runs } }));
    expect(await client.listRuns(repository, { headSha: sha, limit: 10 })).toMatchObject({
      kind: 'runs',
      runs: [
        { id: 2, workflow: 'ci.yml', status: 'success' },
        { id: 1, workflow: 'ci.yml', status: 'failure', title: 'One' },
      ],
    });
  });

  test.each([
    ['a list', [{ id: 4, name: 'build', status: 'failure' }]],
    ['a list in an object', { jobs: [{ id: 4, name: 'build', status: 'completed', conclusion: 'failure' }] }],
  ])('jobs as %s', async (_what, json) => {
    const { client } = await forge(() => ({ json }));
    const jobs = [{ id: 4, name: 'build', status: 'failure' }];
    expect(await client.listJobs(repository, 1)).toEqual({ kind: 'jobs', jobs });
  });

  test.each([
    [
      'that serves ranges',
      { status: 206, headers: { 'content-range': 'bytes 90-99/100' }, text: '0123456789' },
      '0123456789',
      true,
    ],
    ['that ignores them', { text: `${'x'.repeat(90)}0123456789` }, '0123456789', true],
    ['with a short log', { text: 'short' }, 'short', false],
  ])('the end of a log from a forge %s', async (_what, reply, text, cut) => {
    const { client, seen } = await forge(() => reply);
    expect(await client.readLog(repository, 4, 10)).toEqual({ kind: 'log', text, cut });
    expect(seen[0]!.headers.range).toBe('bytes=-10');
  });

  test('a version without the endpoint is told from a forge that refuses', async () => {
    const answer = async (status: number) => {
      const { client } = await forge(() => ({ status, json: { message: 'x' } }));
      return await client.listRuns(repository, { headSha: null, limit: 1 }).catch((error: unknown) => error);
    };
    expect(await answer(404)).toMatchObject({
      kind: 'not-offered',
      why: expect.stringContaining('update the forge'),
    });
    expect(await answer(405)).toMatchObject({ kind: 'not-offered' });
    expect(await answer(403)).toMatchObject({
      kind: 'not-offered',
      why: expect.stringContaining('does not show this account a list of runs'),
    });
    expect(await answer(401)).toBeInstanceOf(ForgeRefused);
    expect(await answer(500)).toBeInstanceOf(ForgeUnavailable);
  });

  describe('a Gitea that keeps the list of runs from readers', () => {
    const address = (run: number) => `https://forge.example.org/orchard/pears/actions/runs/${run}`;
    const task = (id: number, run: number, name: string, status: string) => ({
      id,
      name,
      head_sha: sha,
      event: 'pull_request',
      status,
      workflow_id: 'ci.yml',
      url: address(run),
    });
    const gitea = (jobs: (run: string) => Reply) =>
      forge(({ path }) => {
        if (path.endsWith('/actions/tasks')) {
          const tasks = [
            task(9, 7, 'lint', 'success'),
            task(8, 7, 'test', 'failure'),
            task(5, 6, 'a', 'success'),
          ];
          return { json: { workflow_runs: [...tasks, { ...task(4, 3, 'b', 'failure'), head_sha: 'c' }] } };
        }
        const run = /\/runs\/(\d+)\/jobs$/.exec(path)?.[1];
        if (run !== undefined) return jobs(run);
        return { status: 403, json: { message: 'user should be the owner of the repo' } };
      });

    test('tells it from the tasks, with the number of a run where its jobs prove it', async () => {
      const { client } = await gitea((run) => ({
        json: {
          jobs: [{ id: 31, name: 'test', conclusion: 'failure', html_url: `${address(Number(run))}/jobs/0` }],
        },
      }));
      expect(await client.listRuns(repository, { headSha: sha, limit: 10 })).toMatchObject({
        kind: 'runs',
        runs: [
          {
            id: 7,
            workflow: 'ci.yml',
            status: 'failure',
            htmlUrl: address(7),
            tasks: [
              { name: 'lint', status: 'success' },
              { name: 'test', status: 'failure' },
            ],
          },
          { id: null, status: 'success' },
        ],
      });
      expect(await client.listJobs(repository, 7)).toMatchObject({ jobs: [{ id: 31, status: 'failure' }] });
    });

    test.each<[string, Reply]>([
      ['of another run', { json: { jobs: [{ id: 31, name: 'x', html_url: `${address(2)}/jobs/0` }] } }],
      ['of a run whose number only begins alike', { json: [{ id: 31, html_url: `${address(70)}/jobs/0` }] }],
      ['there are none', { json: { jobs: null } }],
      ['they are refused', { status: 403, json: { message: 'no' } }],
    ])('gives no number where the jobs are %s', async (_what, jobs) => {
      const { client } = await gitea(() => jobs);
      const listed = await client.listRuns(repository, { headSha: sha, limit: 10 });
      expect(listed).toMatchObject({ kind: 'runs', runs: [{ id: null, status: 'failure' }, { id: null }] });
    });

    test('CI of a commit is what its statuses say', async () => {
      const { client } = await forge(({ path, query }) => {
        if (!path.endsWith('/status')) return { status: 403, json: { message: 'owner only' } };
        return {
          json: {
            statuses: query.get('page') === '1' ? [{ id: 1, context: 'ci / test', status: 'failure' }] : [],
          },
        };
      });
      expect(await client.ciState(repository, sha)).toEqual({ state: 'failure', failed: ['ci / test'] });
    });
  });

  test('nothing of CI that is refused, or missing, ends what reads it', async () => {
    for (const status of [403, 404, 405]) {
      const { client } = await forge(() => ({ status, json: { message: 'x' } }));
      expect(await client.ciState(repository, sha)).toEqual({ state: 'none', failed: [] });
      expect(await client.listJobs(repository, 1)).toMatchObject({ kind: 'not-offered' });
      expect(await client.readLog(repository, 1, 10)).toMatchObject({ kind: 'not-offered' });
      const at = { since: null, page: 1 };
      expect(await client.timeline(repository, 6, at)).toMatchObject({ kind: 'not-offered' });
    }
  });
});
