/** What was asked before the first start, on a pocket forge: a rule that acts tells it again, and the agent is woken once. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { REPO } from '../../rehearsal/pocket-forge-trial.ts';
import { openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { type ReconcilingStage, reconcilingStage, START } from '../../test/support/reconciling.ts';
import { listStuck } from '../views/stuck.ts';

let stage: ReconcilingStage;
let database: TestDatabase;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  stage = await reconcilingStage({ accounts: { dev: 'dev-bot', reviewer: 'review-bot' } });
  database = await openSqlite();
});
afterEach(async () => {
  vi.useRealTimers();
  await stage.end();
});

const woken = async () =>
  (await database.rows.selectFrom('messages').select(['flow']).execute()).map(({ flow }) => flow);

test('an assignment and a request for a review wake their agents, once each', async () => {
  const ada = stage.trial.forge.as('ada');
  await ada.createIssue(REPO, { title: 'Totals', body: 'b' });
  await ada.assign(REPO, 1, ['dev-bot']);
  await ada.openPull(REPO, {
    title: 'Feature',
    body: 'b',
    head: await stage.pushed('feature'),
    base: 'main',
  });
  await ada.requestReview(REPO, 2, ['review-bot']);
  stage.set(START + 20 * 60_000);
  await stage.reconciler(database).step();
  await stage.route(database);
  expect(await woken()).toEqual([]);

  await stage.askRules(database, {});
  await stage.route(database);
  expect(await woken()).toEqual([]);
  expect((await listStuck(database.rows)).map(({ rule, agent }) => `${rule} ${agent}`)).toEqual([
    'assigned-without-conversation dev',
    'review-never-began reviewer',
  ]);

  const act = { 'assigned-without-conversation': 'act', 'review-never-began': 'act' } as const;
  for (let n = 0; n < 2; n++) {
    await stage.askRules(database, act);
    await stage.route(database);
    stage.set(stage.clock.now + 7 * 3600_000);
  }
  expect((await woken()).sort()).toEqual(['dev-assigned', 'reviewer-requested']);
  expect(await listStuck(database.rows)).toEqual([]);
});
