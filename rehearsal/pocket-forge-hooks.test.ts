import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expandEvents, goJson } from './pocket-forge-hooks.ts';
import {
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
beforeEach(async () => {
  trial = await startTrial({ deliverTimeoutMs: 300 });
  listener = await startListener();
});
afterEach(async () => {
  await trial.end();
  await listener.end();
});

test('the signature is the HMAC of the raw bytes, in every header that carries one', async () => {
  const ada = trial.forge.as('ada');
  await ada.addHook(REPO, { url: listener.url, secret: SECRET });
  await ada.createIssue(REPO, { title: 'a < b && c > d', body: 'ü\u2028' });
  await trial.forge.settled();
  const { headers, raw, json } = listener.received[0] ?? expect.fail('nothing arrived');
  const digest = createHmac('sha256', SECRET).update(raw).digest('hex');
  const id = headers['x-forgejo-delivery'];
  expect(headers).toMatchObject({
    'x-forgejo-signature': digest,
    'x-gitea-signature': digest,
    'x-gogs-signature': digest,
    'x-hub-signature-256': `sha256=${digest}`,
    'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(raw).digest('hex')}`,
    'x-gitea-delivery': id,
    'x-gogs-delivery': id,
    'x-github-delivery': id,
    'x-forgejo-event': 'issues',
    'x-forgejo-event-type': 'issues',
    'x-github-event': 'issues',
    'content-type': 'application/json',
    'user-agent': 'Go-http-client/1.1',
  });
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(raw.toString()).toContain('\n  "action": "opened"');
  expect(raw.toString()).toContain('a \\u003c b \\u0026\\u0026 c \\u003e d');
  expect(raw.toString()).toContain('ü\\u2028');
  expect(json.issue).toMatchObject({ title: 'a < b && c > d', assignee: null, assignees: null });
});

test('a hook without a secret sends its signature headers empty', async () => {
  const ada = trial.forge.as('ada');
  await ada.addHook(REPO, { url: listener.url, secret: '' });
  await ada.createIssue(REPO, { title: 'One', body: '' });
  await trial.forge.settled();
  expect(listener.received[0]?.headers).toMatchObject({
    'x-forgejo-signature': '',
    'x-gitea-signature': '',
    'x-hub-signature-256': 'sha256=',
  });
});

test('an issue born with assignees and labels: assigned, opened, label_updated', async () => {
  const ada = trial.forge.as('ada');
  await ada.addHook(REPO, { url: listener.url, secret: SECRET });
  const issue = { title: 'One', body: '', assignees: ['bo', 'ada'], labels: ['bug'] };
  const { number } = await ada.createIssue(REPO, issue);
  await ada.assign(REPO, number, ['ada']);
  const { id } = await trial.forge.as('cy').comment(REPO, number, 'Hello');
  await trial.forge.as('cy').editComment(REPO, id, 'Hello @bo');
  await ada.deleteComment(REPO, id);
  await ada.close(REPO, number);
  await trial.forge.settled();
  expect(listener.names()).toEqual([
    'issue_assign assigned',
    'issue_assign assigned',
    'issues opened',
    'issue_label label_updated',
    'issue_assign unassigned',
    'issue_comment created',
    'issue_comment edited',
    'issue_comment deleted',
    'issues closed',
  ]);
  const lists = listener.received.slice(0, 5).map((r) => r.json.issue.assignees.map((u: Json) => u.login));
  expect(lists).toEqual([['bo'], ['bo', 'ada'], ['bo', 'ada'], ['bo', 'ada'], ['ada']]);
  expect(listener.received[6]?.json).toMatchObject({ changes: { body: { from: 'Hello' } }, is_pull: false });
});

test('a listener that never answers fails once, holds nobody longer than the timeout, and is not asked again', async () => {
  const deaf = await startListener(null);
  try {
    const ada = trial.forge.as('ada');
    await ada.addHook(REPO, { url: deaf.url, secret: SECRET });
    await ada.addHook(REPO, { url: listener.url, secret: SECRET });
    await ada.createIssue(REPO, { title: 'One', body: '' });
    await trial.forge.settled();
    expect(trial.forge.deliveries.map((d) => [d.state, d.status])).toEqual([
      ['failed', null],
      ['succeeded', 202],
    ]);
    expect(trial.forge.deliveries[0]?.error).toMatch(/timeout/i);
    expect(trial.forge.deliveries[0]?.ms).toBeGreaterThanOrEqual(290);
    expect(deaf.received).toHaveLength(1);
    // Two hooks on one happening: equal bytes, different ids.
    const [a, b] = trial.forge.deliveries;
    expect(a?.body).toBe(b?.body);
    expect(a?.id).not.toBe(b?.id);
  } finally {
    await deaf.end();
  }
});

test('an answer outside 2xx and a refused connection are failures too', async () => {
  const angry = await startListener(500);
  const gone = await startListener();
  await gone.end();
  try {
    const ada = trial.forge.as('ada');
    await ada.addHook(REPO, { url: angry.url, secret: SECRET });
    await ada.addHook(REPO, { url: gone.url, secret: SECRET });
    await ada.createIssue(REPO, { title: 'One', body: '' });
    await trial.forge.settled();
    const seen = trial.forge.deliveries.map((d) => [d.state, d.status, d.response]);
    expect(seen).toEqual([
      ['failed', 500, 'noted'],
      ['failed', null, ''],
    ]);
    expect(trial.forge.deliveries[1]?.error).toContain('ECONNREFUSED');
    expect(angry.received).toHaveLength(1);
  } finally {
    await angry.end();
  }
});

test('a replay has a new id and the same bytes; only admins may ask for one', async () => {
  const ada = trial.forge.as('ada');
  await ada.addHook(REPO, { url: listener.url, secret: SECRET });
  await ada.createIssue(REPO, { title: 'One', body: '' });
  await trial.forge.settled();
  const first = trial.forge.deliveries[0]?.id ?? '';
  const second = await ada.redeliver(first);
  await trial.forge.settled();
  expect(second.id).not.toBe(first);
  expect(listener.received.map((r) => r.headers['x-forgejo-delivery'])).toEqual([first, second.id]);
  expect(listener.received[1]?.raw.equals(listener.received[0]?.raw ?? Buffer.of())).toBe(true);
  await expect(trial.forge.as('bo').redeliver(first)).rejects.toMatchObject({ status: 403 });
});

test('groups, names and the default expand as on the forge', () => {
  expect(expandEvents([])).toEqual(['push']);
  expect(expandEvents(['issues'])).toContain('issue_comment');
  expect(expandEvents(['issues_only', 'nonsense'])).toEqual(['issues']);
  expect(expandEvents(['pull_request_review'])).toEqual([
    'pull_request_review_approved',
    'pull_request_review_rejected',
  ]);
  expect(goJson({ a: [], b: '<' }, 0)).toBe('{"a":[],"b":"\\u003c"}');
});

test('hooks made by the API are inactive unless asked, know only push unless told, and hide their secret', async () => {
  const config = { url: listener.url, content_type: 'json', secret: SECRET };
  const post = (body: object) => trial.call('ada', 'POST', `/repos/${REPO}/hooks`, body);
  const quiet = await post({ type: 'forgejo', config });
  expect(quiet).toMatchObject({ status: 201, json: { active: false, events: ['push'] } });
  expect(quiet.text).not.toContain(SECRET);
  const gitea = await post({ type: 'gitea', active: true, config, events: ['create', 'issues_only'] });
  expect((await trial.call('bo', 'GET', `/repos/${REPO}/hooks`)).status).toBe(403);
  expect((await trial.call('ada', 'GET', `/repos/${REPO}/hooks`)).json).toHaveLength(2);
  expect((await post({ type: 'forgejo', config: { ...config, content_type: 'form' } })).status).toBe(422);
  const deleted = await trial.call('ada', 'DELETE', `/repos/${REPO}/hooks/${gitea.json.id}`);
  expect(deleted.status).toBe(204);
  await trial.forge.as('ada').createIssue(REPO, { title: 'Unheard', body: '' });
  await trial.forge.settled();
  expect(listener.received).toEqual([]);
});

test('Actions runs: failure, then success and no recovery; neither repository nor sender at the top', async () => {
  const ada = trial.forge.as('ada');
  await ada.addHook(REPO, { url: listener.url, secret: SECRET });
  const sha = (await trial.call('ada', 'GET', `/repos/${REPO}/branches/main`)).json.commit.id;
  await ada.actionRun(REPO, { sha, status: 'running', workflow: 'ci.yaml' });
  await ada.actionRun(REPO, { sha, status: 'cancelled', workflow: 'ci.yaml' });
  await ada.actionRun(REPO, { sha, status: 'success', workflow: 'ci.yaml' });
  await trial.forge.settled();
  expect(listener.names()).toEqual(['action_run_failure failure', 'action_run_success success']);
  const { json } = listener.received[0] ?? expect.fail('nothing arrived');
  expect(Object.keys(json)).toEqual(['action', 'prior_status', 'run']);
  expect(json.run).toMatchObject({
    status: 'cancelled',
    commit_sha: sha,
    workflow_id: 'ci.yaml',
    prettyref: 'main',
    trigger_user: { login: 'ada' },
    repository: { full_name: REPO },
  });
  expect(JSON.parse(json.run.event_payload)).toMatchObject({ ref: 'refs/heads/main', after: sha });
  const runs = await trial.call('cy', 'GET', `/repos/${REPO}/actions/runs?head_sha=${sha}&status=success`);
  expect(runs.json).toMatchObject({ total_count: 1, workflow_runs: [{ index_in_repo: 3 }] });
  expect((await trial.call('cy', 'GET', `/repos/${REPO}/actions/tasks`)).json.total_count).toBe(3);
  const status = await trial.call('cy', 'GET', `/repos/${REPO}/commits/main/status`);
  expect(status.json).toMatchObject({ state: 'success', total_count: 1, sha });
});
