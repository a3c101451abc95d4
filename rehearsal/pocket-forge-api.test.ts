import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneAs, commitAndPush, type Json, REPO, startTrial, type Trial } from './pocket-forge-trial.ts';

const R = `/repos/${REPO}`;
let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
});
afterAll(() => trial.end());

const issue = async (login: string, body: object) =>
  (await trial.call(login, 'POST', `${R}/issues`, body)).json;

test('who is asking: token, Bearer, Basic, nobody, a stranger', async () => {
  const ask = async (authorization: string) =>
    (await fetch(`${trial.forge.url}/api/v1/user`, { headers: { authorization } })).json();
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const header of ['token bo-token', 'Bearer bo-token', basic('whoever:bo-token'), basic('bo-token:')]) {
    expect(await ask(header)).toMatchObject({ login: 'bo', username: 'bo', is_admin: false });
  }
  const nobody = await trial.call(null, 'GET', '/user');
  expect(nobody).toMatchObject({
    status: 401,
    json: { message: expect.any(String), url: expect.any(String) },
  });
  expect((await trial.call('stranger', 'GET', R)).status).toBe(401);
  expect((await trial.call(null, 'POST', `${R}/issues`, { title: 'x' })).status).toBe(401);
  expect((await trial.call(null, 'GET', '/version')).json.version).toMatch(/^16\..*gitea/);
});

test('repositories by name and by id, with the permissions of who asks', async () => {
  const byName = await trial.call('cy', 'GET', '/repos/ADA/Widgets');
  expect(byName.json).toMatchObject({
    full_name: REPO,
    default_branch: 'main',
    clone_url: `${trial.forge.url}/${REPO}.git`,
    permissions: { admin: false, push: false, pull: true },
  });
  expect((await trial.call('bo', 'GET', `/repositories/${byName.json.id}`)).json.permissions.push).toBe(true);
  expect((await trial.call('bo', 'GET', '/repos/ada/nothing')).status).toBe(404);
  expect((await trial.call('bo', 'GET', '/no/such/route')).status).toBe(404);
});

test('permission of an actor is told to themselves and to repository admins', async () => {
  const ask = (login: string, about: string) =>
    trial.call(login, 'GET', `${R}/collaborators/${about}/permission`);
  expect((await ask('bo', 'bo')).json).toMatchObject({ permission: 'write', user: { login: 'bo' } });
  expect((await ask('bo', 'cy')).status).toBe(403);
  expect((await ask('ada', 'cy')).json.permission).toBe('read');
  expect((await ask('ada', 'ada')).json.permission).toBe('owner');
  expect((await ask('root', 'root')).json.permission).toBe('owner');
});

test('issues: who may change what', async () => {
  const { number } = await issue('cy', { title: 'Mine', body: 'b', assignees: ['bo'], labels: [1] });
  const got = (await trial.call(null, 'GET', `${R}/issues/${number}`)).json;
  // cy cannot write, so the assignee and the label were dropped in silence.
  expect(got).toMatchObject({
    title: 'Mine',
    user: { login: 'cy' },
    assignees: null,
    labels: [],
    state: 'open',
  });
  const patch = (login: string, body: object) => trial.call(login, 'PATCH', `${R}/issues/${number}`, body);
  expect((await patch('cy', { title: 'Still mine' })).status).toBe(201);
  expect((await patch('bo', { assignees: ['cy'] })).status).toBe(422);
  expect((await patch('bo', { assignees: ['bo'], state: 'closed' })).json).toMatchObject({
    assignee: { login: 'bo' },
    state: 'closed',
    closed_at: expect.any(String),
  });
  const other = await issue('ada', { title: 'Not yours' });
  expect((await trial.call('cy', 'PATCH', `${R}/issues/${other.number}`, { title: 'x' })).status).toBe(403);
  expect((await trial.call('ada', 'POST', `${R}/issues`, { body: 'no title' })).status).toBe(422);
});

test('lists are paged: 50 at most, with a total and links', async () => {
  const name = 'many';
  await trial.forge.createRepository({ owner: 'ada', name, files: { a: 'a' } });
  for (let i = 0; i < 53; i += 1)
    await trial.forge.as('ada').createIssue(`ada/${name}`, { title: `${i}`, body: '' });
  const first = await trial.call('ada', 'GET', `/repos/ada/${name}/issues?limit=100&sort=oldest`);
  expect(first.json).toHaveLength(50);
  expect(first.headers.get('x-total-count')).toBe('53');
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const rest: Json = await (await fetch(next)).json();
  expect(rest.map((i: Json) => i.number)).toEqual([51, 52, 53]);
});

test('since filters by the whole second, on issues and on comments of the repository', async () => {
  const { number, updated_at: at } = await issue('ada', { title: 'Timely' });
  const path = `${R}/issues/${number}/comments`;
  const comment = (await trial.call('cy', 'POST', path, { body: 'One' })).json;
  const since = (text: string) => encodeURIComponent(text);
  const later = new Date(Date.parse(comment.updated_at) + 60_000).toISOString();
  const issues = await trial.call('ada', 'GET', `${R}/issues?state=all&type=issues&since=${since(at)}`);
  expect(issues.json.map((i: Json) => i.number)).toContain(number);
  const fresh = await trial.call('ada', 'GET', `${R}/issues/comments?since=${since(comment.updated_at)}`);
  expect(fresh.json.map((k: Json) => k.id)).toContain(comment.id);
  expect((await trial.call('ada', 'GET', `${R}/issues/comments?since=${since(later)}`)).json).toEqual([]);
  expect((await trial.call('ada', 'GET', `${R}/issues/comments?since=yesterday`)).status).toBe(422);
});

test('comments and reactions', async () => {
  const { number } = await issue('ada', { title: 'Talk' });
  const made = await trial.call('cy', 'POST', `${R}/issues/${number}/comments`, { body: 'Hello' });
  expect(made).toMatchObject({
    status: 201,
    json: { body: 'Hello', user: { login: 'cy' }, pull_request_url: '' },
  });
  const one = `${R}/issues/comments/${made.json.id}`;
  expect((await trial.call('bo', 'PATCH', one, { body: 'Moderated' })).json.body).toBe('Moderated');
  expect((await trial.call('cy', 'POST', `${one}/reactions`, { content: 'eyes' })).status).toBe(201);
  expect((await trial.call('cy', 'POST', `${one}/reactions`, { content: 'eyes' })).status).toBe(200);
  expect((await trial.call('cy', 'POST', `${one}/reactions`, { content: 'clap' })).status).toBe(403);
  expect((await trial.call('cy', 'POST', `${R}/issues/${number}/reactions`, { content: '+1' })).status).toBe(
    201,
  );
  expect((await trial.call('cy', 'POST', `${R}/issues/${number}/comments`, { body: ' ' })).status).toBe(422);
  expect((await trial.call('cy', 'DELETE', one)).status).toBe(204);
  expect((await trial.call('cy', 'GET', one)).status).toBe(404);
});

test('labels by id or name; unknown names are ignored', async () => {
  const { number } = await issue('ada', { title: 'Labelled' });
  const path = `${R}/issues/${number}/labels`;
  const bug = (await trial.call('bo', 'POST', `${R}/labels`, { name: 'bug', color: '#ff0000' })).json;
  await trial.call('bo', 'POST', `${R}/labels`, { name: 'help', color: '00ff00' });
  const names = (answer: { json: Json }) => answer.json.map((l: Json) => l.name);
  expect(names(await trial.call('bo', 'POST', path, { labels: [bug.id, 'nonsense'] }))).toEqual(['bug']);
  expect(names(await trial.call('bo', 'PUT', path, { labels: ['help'] }))).toEqual(['help']);
  expect((await trial.call('cy', 'POST', path, { labels: ['bug'] })).status).toBe(403);
  expect((await trial.call('bo', 'DELETE', `${path}/help`)).status).toBe(204);
  expect((await trial.call('bo', 'GET', path)).json).toEqual([]);
});

test('pull requests: bad refs, nothing to merge, one at a time', async () => {
  await commitAndPush(clone, { branch: 'topic/one', file: 'one', content: '1\n' });
  const open = (body: object) =>
    trial.call('bo', 'POST', `${R}/pulls`, { title: 'One', base: 'main', ...body });
  expect((await open({ head: 'missing' })).status).toBe(422);
  expect((await open({ head: 'topic/one', base: 'missing' })).status).toBe(422);
  expect((await open({ head: 'main' })).status).toBe(422);
  expect((await open({ head: 'cy:topic/one' })).status).toBe(422);
  const made = await open({ head: 'ada:topic/one' });
  expect(made).toMatchObject({
    status: 201,
    json: { mergeable: true, additions: 1, deletions: 0, changed_files: 1, draft: false, merged: false },
  });
  expect((await open({ head: 'topic/one' })).status).toBe(409);
  const { number } = made.json;
  const list = await trial.call(null, 'GET', `${R}/pulls?state=open&head=topic/one`);
  expect(list.json.map((p: Json) => p.number)).toEqual([number]);
  expect((await trial.call(null, 'GET', `${R}/pulls/main/topic/one`)).json.number).toBe(number);
  expect((await trial.call(null, 'GET', `${R}/pulls/${number}.diff`)).text).toContain(
    '+++ b/one\n@@ -0,0 +1 @@\n+1',
  );
  expect((await trial.call(null, 'GET', `${R}/pulls/${number}.patch`)).text).toContain(
    'Subject: [PATCH] Write one',
  );
  expect((await trial.call(null, 'GET', `${R}/issues/${number}`)).json.pull_request).toMatchObject({
    merged: false,
  });
  const draft = await trial.call('bo', 'PATCH', `${R}/pulls/${number}`, { title: 'WIP: One' });
  expect(draft.json.draft).toBe(true);
});

test('reviews: rules, pending ones stay private, inline comments live beside the comments API', async () => {
  const sha = await commitAndPush(clone, { branch: 'topic/two', file: 'two', content: '1\n2\n' });
  const body = { title: 'Two', head: 'topic/two', base: 'main' };
  const { number } = (await trial.call('bo', 'POST', `${R}/pulls`, body)).json;
  const reviews = `${R}/pulls/${number}/reviews`;
  const review = (login: string, input: object) => trial.call(login, 'POST', reviews, input);
  expect((await review('bo', { event: 'APPROVED', body: 'I am good' })).status).toBe(422);
  expect((await review('ada', { event: 'REQUEST_CHANGES', body: '' })).status).toBe(422);
  expect((await review('ada', { event: 'COMMENT', body: '' })).status).toBe(422);
  expect((await review('ada', { event: 'APPROVED', commit_id: 'f'.repeat(40) })).status).toBe(422);
  const comments = [{ path: 'two', body: 'Why 2?', new_position: 2 }];
  const pending = await review('ada', { comments });
  expect(pending).toMatchObject({
    status: 200,
    json: { state: 'PENDING', comments_count: 1, commit_id: sha },
  });
  expect((await trial.call('bo', 'GET', reviews)).json).toEqual([]);
  const submitted = await review('ada', { event: 'REQUEST_CHANGES', body: 'See inline' });
  expect(submitted.json).toMatchObject({ id: pending.json.id, state: 'REQUEST_CHANGES', comments_count: 1 });
  expect((await trial.call('bo', 'GET', reviews)).json).toHaveLength(1);
  const inline = (await trial.call('bo', 'GET', `${reviews}/${submitted.json.id}/comments`)).json;
  expect(inline).toMatchObject([
    { path: 'two', body: 'Why 2?', position: 2, original_position: 0, commit_id: sha },
  ]);
  expect((await trial.call('bo', 'GET', `${R}/issues/comments/${inline[0].id}`)).status).toBe(204);
  expect((await trial.call('bo', 'GET', `${R}/issues/${number}/comments`)).json).toEqual([]);
});

test('statuses: the newest of each context counts, the worst of them wins', async () => {
  const sha = await commitAndPush(clone, { branch: 'topic/three', file: 'three', content: '3\n' });
  const combined = () => trial.call('bo', 'GET', `${R}/commits/topic/three/status`);
  expect((await combined()).json).toMatchObject({ state: '', total_count: 0, statuses: null });
  const set = (context: string, state: string) =>
    trial.call('bo', 'POST', `${R}/statuses/${sha}`, { context, state, target_url: 'http://127.0.0.1/ci' });
  expect((await set('lint', 'failure')).json).toMatchObject({ status: 'failure', context: 'lint' });
  await set('test', 'success');
  expect((await combined()).json).toMatchObject({ state: 'failure', total_count: 2 });
  await set('lint', 'success');
  expect((await combined()).json).toMatchObject({ state: 'success', total_count: 2, sha });
  expect((await trial.call('cy', 'POST', `${R}/statuses/${sha}`, { state: 'success' })).status).toBe(403);
  expect((await set('lint', 'excellent')).status).toBe(422);
  const branches = (await trial.call('bo', 'GET', `${R}/branches`)).json.map((b: Json) => b.name);
  expect(branches).toContain('topic/three');
  expect((await trial.call('bo', 'GET', `${R}/branches/topic/three`)).json.commit.id).toBe(sha);
  expect((await trial.call('bo', 'GET', `${R}/branches/none`)).status).toBe(404);
});
