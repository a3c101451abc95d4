/**
 * `kill -9` in what stands beside a dispatch: a budget check, a hold of a budget, a hold of the court, a commit status. One
 * conversation lives through all of it. At the end nothing is lost, done twice, or left pending on the forge or in the inbox.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { DialectName } from '../../src/database/dialect.ts';
import type { FaultPoint } from '../../src/faults.ts';
import { COMPILED } from '../support/compiled.ts';
import { OWNER, REPOSITORY } from '../support/service-config.ts';
import { describeCases, isRun, tellHowToReplay } from './case.ts';
import { expectAllKept } from './guarantees.ts';
import { Injector } from './injector.ts';

const ITEM = `${REPOSITORY}#1`;
const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** No budget is near its limit, and no account is a robot. */
const WIDE = { budgets: { conversation: { tokens: 900_000_000 } }, court: { runs_by_robots: 50 } };
const CIRCLE = { ...WIDE, court: { runs_by_robots: 1, robots: [OWNER] } };

/** Eyes on a comment come first; then the commit status says that it runs, and later that it is done. */
const BESIDE: [point: FaultPoint, pass: number][] = [
  ['budget.reserved', 1],
  ['budget.settled', 1],
  ['notice.planned', 2],
  ['notice.performed', 3],
  ['notice.recorded', 2],
];

for (const dialect of ['sqlite', 'postgres'] as const) {
  const id = `${dialect}/beside`;
  // Eight kills in one story take more than a minute: with FAULTS=all, or by name.
  describeCases(dialect, isRun(id, false) ? [id] : [], () => {
    test('killed beside its work, a conversation loses nothing and leaves nothing pending', () =>
      liveThrough(dialect, id));
  });
}

async function liveThrough(dialect: DialectName, id: string): Promise<void> {
  const injector = await Injector.open({ id, dialect, config: WIDE });
  onTestFinished(() => injector.close());
  tellHowToReplay(id, injector);
  await injector.start();
  await injector.live();
  for (const [point, pass] of BESIDE) await injector.dieIn(`kill@${point}#${pass}`);

  // The run may begin, and its first request spends the rest.
  const budgets = { conversation: { tokens: (await spentTokens(injector)) + 1 } };
  configure(injector, { ...WIDE, budgets });
  await dieHeld(injector, { point: 'budget.held', by: 'budget' });
  await claudeHooks(injector, 'budget', 'raise', ITEM, '900000000tokens');
  await injector.settled();
  await injector.kill();

  configure(injector, { ...CIRCLE, budgets });
  await dieHeld(injector, { point: 'court.held', by: 'court' });
  await claudeHooks(injector, 'resume', ITEM);
  await injector.settled();

  const facts = await injector.facts();
  // This looks for pending commit statuses and open rows of the inbox as well.
  expectAllKept({ ...injector, facts });
  expect.soft(facts.dispatches.map(({ hold_id }) => hold_id)).toEqual(facts.dispatches.map(() => null));
  await expectCounted(injector);
}

const TOLD = { budget: /^My budget for this is spent/, court: /^I was paused/ };

/** The service dies with its hold, and sets it once at the next start. */
async function dieHeld(
  injector: Injector,
  { point, by }: { point: FaultPoint; by: 'budget' | 'court' },
): Promise<void> {
  const { stage } = injector;
  await injector.start(`kill@${point}`);
  await injector.act();
  await injector.died();
  await injector.start();
  await injector.sendAgain();
  const standing = () => stage.rows.selectFrom('holds').selectAll().where('ended_at', 'is', null).execute();
  await stage.until('it is held', async () => {
    const last = (await stage.dispatches()).at(-1);
    // The hold parks the dispatch. Where it was on the disk before the service died, the dispatch is not begun at all.
    return ['parked', 'interrupted', 'queued'].includes(last?.state ?? '') && (await standing()).length > 0;
  });
  expect.soft(await standing(), 'one hold').toMatchObject([{ by_kind: by, until: null }]);
  const told = () => stage.forge.state.comments.filter(({ body }) => TOLD[by].test(body)).length;
  await stage.until('the hold is told on the forge', () => told() > 0);
  expect.soft(told(), 'told once').toBe(1);
}

/** Tokens as budgets count them: a request that a crash cut off counts with its reservation. */
async function spentTokens({ stage }: Injector): Promise<number> {
  const requests = await stage.rows.selectFrom('model_requests').selectAll().execute();
  const lost = await stage.rows.selectFrom('model_reservations').selectAll().execute();
  const tokens = [
    ...requests.map((r) => r.input_tokens + r.output_tokens + r.cache_write_tokens),
    ...lost.map((r) => r.tokens),
  ];
  return tokens.reduce((sum, one) => sum + one, 0);
}

/** Each request that the model was asked is in the ledger, or counted at its most; none is there twice. */
async function expectCounted({ stage }: Injector): Promise<void> {
  const asked = stage.model.requests.length;
  const answered = await stage.rows.selectFrom('model_requests').select('seq').execute();
  const left = await stage.rows.selectFrom('model_reservations').select('state').execute();
  expect.soft(left.map(({ state }) => state)).toEqual(left.map(() => 'lost'));
  expect.soft(answered.length + left.length, 'counted requests').toBeGreaterThanOrEqual(asked);
  expect.soft(answered.length, 'rows of the ledger').toBeLessThanOrEqual(asked);
}

/** The service reads it at its next start. */
function configure({ stage }: Injector, change: Record<string, unknown>): void {
  const config = JSON.parse(readFileSync(stage.configFile, 'utf8')) as Record<string, unknown>;
  writeFileSync(stage.configFile, JSON.stringify({ ...config, ...change }));
}

async function claudeHooks({ stage }: Injector, ...args: string[]): Promise<void> {
  const env = { ...stage.env, ...COMPILED, USER: 'grace' };
  await promisify(execFile)(process.execPath, [CLI, ...args, '-c', stage.configFile], { env });
}
