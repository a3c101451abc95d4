/** Whether a run may begin: its budgets, how much must be left of them, and quiet hours. What may not is held. */
import type { BudgetSettings } from '../config/budget-settings.ts';
import { type Database, type Rows, serialise } from '../database/database.ts';
import { currentHolds, type Hold, type HoldScope, liftHold, placeHold } from '../mailbox/holds.ts';
import { BUDGET_LOCK, standingsOf } from './admission.ts';
import { quietUntil } from './calendar.ts';
import { type Standing, sayShare, saySpent, spentUnit, usedShare } from './decide.ts';
import { limitsOf, type Spender, startRules } from './limits.ts';

interface WantedHold {
  scope: HoldScope;
  reason: string;
  until: number | null;
}

const NO_CAPS = { usd: null, tokens: null };

/** Every reason why a run of this conversation may not begin now. */
async function wantedHolds(
  rows: Rows,
  settings: BudgetSettings,
  { spender, now }: { spender: Spender; now: number },
): Promise<WantedHold[]> {
  const limits = limitsOf(settings, spender, { now, runCaps: NO_CAPS }).filter(({ kind }) => kind !== 'run');
  const standings = await standingsOf(rows, limits, { spender, now });
  const { scope, quietHours, leftPercent } = startRules(settings, spender);
  const wanted = standings.flatMap((standing) => notStarted(standing, leftPercent));
  const until = quietUntil(now, quietHours, settings.timeZone);
  // guard: budget: quiet hours
  if (until === null) return wanted;
  return [...wanted, { scope, reason: `quiet hours (${settings.timeZone}): no run begins`, until }];
}

function notStarted(standing: Standing, leftPercent: number): WantedHold[] {
  const { scope, period, label } = standing.limit;
  const unit = spentUnit(standing);
  const until = period.end;
  if (unit !== null) return [{ scope: scope!, reason: saySpent(standing, unit), until }];
  const used = usedShare(standing);
  // guard: budget: what must be left for a start
  if (used.share * 100 <= 100 - leftPercent) return [];
  const reason = `less than ${leftPercent} % of the budget of ${label} is left: ${sayShare(standing, used.unit)} is spent`;
  return [{ scope: scope!, reason, until }];
}

/** Holds what may not begin; null = it may. */
export async function mayStart(
  database: Database,
  settings: BudgetSettings,
  o: { spender: Spender; now: number },
): Promise<Hold | null> {
  const wanted = await wantedHolds(database.rows, settings, o);
  if (wanted.length === 0) return null;
  return await database.transaction(async (tx) => {
    const placed: Hold[] = [];
    for (const hold of wanted)
      placed.push(await placeHold(tx, { ...hold, by: { kind: 'budget' }, now: o.now }));
    return placed.toSorted((a, b) => (b.until ?? Infinity) - (a.until ?? Infinity))[0]!;
  });
}

/**
 * Lifts what a raise or a new configuration has made needless. A hold is looked at for one conversation of its scope,
 * which is enough: what a budget holds depends on the scope alone.
 */
export async function liftNeedless(
  database: Database,
  settings: BudgetSettings,
  now: number,
): Promise<Hold[]> {
  const lifted: Hold[] = [];
  for (const hold of await currentHolds(database.rows, now)) {
    if (hold.by_kind !== 'budget') continue;
    await database.transaction(async (tx) => {
      await serialise(database.dialect, tx, BUDGET_LOCK);
      const spender = await anyOf(tx, hold.scope);
      const wanted = spender === null ? [] : await wantedHolds(tx, settings, { spender, now });
      if (wanted.some(({ scope }) => scope.key === hold.scope)) return;
      lifted.push(...(await liftHold(tx, { id: hold.id, by: { kind: 'budget' }, now })).lifted);
    });
  }
  return lifted;
}

async function anyOf(rows: Rows, scope: string): Promise<Spender | null> {
  const found = await rows
    .selectFrom('conversations')
    .select(['id', 'agent', 'forge', 'repository_id', 'repository_name', 'item_number'])
    .$if(scope.startsWith('conversation:'), (q) => q.where('id', '=', scope.slice('conversation:'.length)))
    .$if(scope.startsWith('agent:'), (q) => q.where('agent', '=', scope.slice('agent:'.length)))
    .$if(scope.startsWith('repository:'), (q) => {
      const [forge, id] = scope.slice('repository:'.length).split('/');
      return q.where('forge', '=', forge!).where('repository_id', '=', id!);
    })
    .orderBy('updated_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return found === undefined ? null : { ...found, dispatchId: '' };
}
