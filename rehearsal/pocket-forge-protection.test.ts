import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneAs, commitAndPush, REPO, startTrial, type Trial } from './pocket-forge-trial.ts';

let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
});
afterAll(async () => await trial.end());

async function pullOn(branch: string): Promise<{ number: number; sha: string; base: string }> {
  const base = `${branch}-base`;
  await commitAndPush(clone, { branch: base, file: `${base}.txt`, content: 'x' });
  const sha = await commitAndPush(clone, { branch, file: `${branch}.txt`, content: 'x' });
  const { number } = await trial.forge
    .as('bo')
    .openPull(REPO, { title: branch, body: '', head: branch, base });
  return { number, sha, base };
}

const merge = async (number: number, more: object = {}) =>
  (await trial.call('bo', 'POST', `/repos/${REPO}/pulls/${number}/merge`, { Do: 'merge', ...more })).status;
const merged = async (number: number) =>
  (await trial.call('bo', 'GET', `/repos/${REPO}/pulls/${number}/merge`)).status === 204;

test('a rule is an administrator’s; a merge it does not allow answers 405 and says which', async () => {
  const { number, sha, base } = await pullOn('rules');
  const rule = {
    rule_name: base,
    enable_status_check: true,
    status_check_contexts: ['ci'],
    required_approvals: 1,
    block_on_rejected_reviews: true,
  };
  const path = `/repos/${REPO}/branch_protections`;
  expect((await trial.call('bo', 'POST', path, rule)).status).toBe(403);
  expect((await trial.call('ada', 'POST', path, rule)).status).toBe(201);
  expect((await trial.call('ada', 'GET', path)).json).toMatchObject([rule]);
  const refusal = async () =>
    (await trial.call('bo', 'POST', `/repos/${REPO}/pulls/${number}/merge`, { Do: 'merge' })).json.message;
  expect(await refusal()).toContain('status checks successful: ci');
  await trial.forge.as('ada').setStatus(REPO, sha, { state: 'success', context: 'ci' });
  expect(await refusal()).toContain('enough approvals');
  await trial.forge.as('ada').review(REPO, number, { event: 'APPROVED', body: '' });
  await trial.forge.as('root').review(REPO, number, { event: 'REQUEST_CHANGES', body: 'No.' });
  expect(await refusal()).toContain('requested changes');
  expect(await merge(number)).toBe(405);
  await trial.forge.as('root').review(REPO, number, { event: 'APPROVED', body: '' });
  expect(await merge(number)).toBe(200);
});

test('a scheduled merge waits for the next success, never looks back, and can be cancelled', async () => {
  const { number, sha } = await pullOn('later');
  await trial.forge.as('ada').setStatus(REPO, sha, { state: 'success', context: 'ci' });
  expect(await merge(number, { merge_when_checks_succeed: true })).toBe(201);
  expect(await merged(number)).toBe(false);
  expect(await merge(number, { merge_when_checks_succeed: true })).toBe(409);
  const path = `/repos/${REPO}/pulls/${number}/merge`;
  expect((await trial.call('bo', 'DELETE', path)).status).toBe(204);
  expect((await trial.call('bo', 'DELETE', path)).status).toBe(404);
  await trial.call('ada', 'POST', `/repos/${REPO}/statuses/${sha}`, { state: 'success', context: 'ci' });
  expect(await merged(number)).toBe(false);
  await merge(number, { merge_when_checks_succeed: true });
  await trial.call('ada', 'POST', `/repos/${REPO}/statuses/${sha}`, { state: 'success', context: 'ci' });
  expect(await merged(number)).toBe(true);
});

test('a run has one job, whose log is served whole or from its end', async () => {
  const { number, sha } = await pullOn('logs');
  const { id } = await trial.forge
    .as('ada')
    .actionRun(REPO, { sha, status: 'failure', workflow: 'ci.yaml', pull: number, log: '0123456789' });
  const [job] = (await trial.call('cy', 'GET', `/repos/${REPO}/actions/runs/${id}/jobs`)).json;
  expect(job).toMatchObject({ name: 'build', status: 'failure' });
  const url = `${trial.forge.url}/api/v1/repos/${REPO}/actions/jobs/${job.id}/logs`;
  expect(await (await fetch(url)).text()).toBe('0123456789');
  const end = await fetch(url, { headers: { range: 'bytes=-3' } });
  expect([end.status, end.headers.get('content-range'), await end.text()]).toEqual([
    206,
    'bytes 7-9/10',
    '789',
  ]);
  expect((await trial.call('cy', 'GET', `/repos/${REPO}/actions/runs/999/jobs`)).status).toBe(404);
});
