/**
 * A request is reserved before it is sent, with the most that it may cost, and the reservation goes when the ledger has
 * its row: both in one transaction. What a crash leaves of it counts at its most.
 */
import type { BudgetSettings } from '../config/budget-settings.ts';
import { type Database, type Rows, serialise } from '../database/database.ts';
import { faultPoint } from '../faults.ts';
import { type Hold, placeHold } from '../mailbox/holds.ts';
import { type Decision, decide, type Standing, saySpent, type Unit, usedShare } from './decide.ts';
import { type Limit, limitsOf, type Spender } from './limits.ts';
import { raisedOf, spentOf } from './spent.ts';

/** The number of this lock must differ from those that the other rooms use. */
export const BUDGET_LOCK = 7;

export interface Most {
  tokens: number;
  /** null = the model has no known price */
  microUsd: number | null;
}

export type Reserved =
  /** no budget applies */
  | { kind: 'free' }
  | { kind: 'reserved'; id: string; warned: Warning[] }
  | Exclude<Decision, { kind: 'admit' | 'spent' }>
  | { kind: 'spent'; standing: Standing; unit: Unit; hold: Hold | null };

export interface Warning {
  label: string;
  share: number;
  standing: Standing;
  unit: Unit;
}

export interface Request {
  spender: Spender;
  runCaps: { usd: number | null; tokens: number | null };
  most: Most;
  now: number;
}

export async function reserve(
  database: Database,
  settings: BudgetSettings,
  request: Request,
): Promise<Reserved> {
  const limits = limitsOf(settings, request.spender, request);
  if (limits.length === 0) return { kind: 'free' };
  return await database.transaction(async (tx) => {
    // Reservations are made one at a time, because each counts the others.
    await serialise(database.dialect, tx, BUDGET_LOCK);
    const standings = await standingsOf(tx, limits, request);
    const decision = decide(standings, request.most.microUsd !== null);
    if (decision.kind === 'spent') return { ...decision, hold: await holdSpent(tx, decision, request.now) };
    if (decision.kind !== 'admit') return decision;
    const id = crypto.randomUUID();
    const { spender, most, now } = request;
    await tx
      .insertInto('model_reservations')
      .values({
        id,
        dispatch_id: spender.dispatchId,
        conversation_id: spender.id,
        agent: spender.agent,
        forge: spender.forge,
        repository_id: spender.repository_id,
        at: now,
        tokens: most.tokens,
        micro_usd: most.microUsd,
        state: 'open',
      })
      .execute();
    const warned = await warn(tx, standings, { settings, request });
    faultPoint('budget.reserved');
    return { kind: 'reserved', id, warned };
  });
}

export async function standingsOf(
  rows: Rows,
  limits: readonly Limit[],
  { spender, now }: { spender: Spender; now: number },
): Promise<Standing[]> {
  const standings: Standing[] = [];
  for (const limit of limits) {
    const raised = await raisedOf(rows, limit.budget, now);
    standings.push({ limit, raised, ...(await spentOf(rows, limit, spender)) });
  }
  return standings;
}

/** null = the budget of a run: that run ends */
async function holdSpent(
  tx: Rows,
  { standing, unit }: { standing: Standing; unit: Unit },
  now: number,
): Promise<Hold | null> {
  const { scope, period } = standing.limit;
  if (scope === null) return null;
  const hold = await placeHold(tx, {
    scope,
    reason: saySpent(standing, unit),
    until: period.end,
    by: { kind: 'budget' },
    now,
  });
  faultPoint('budget.held');
  return hold;
}

async function warn(
  tx: Rows,
  standings: readonly Standing[],
  { settings, request }: { settings: BudgetSettings; request: Request },
): Promise<Warning[]> {
  const warned: Warning[] = [];
  for (const standing of standings.filter(({ limit }) => limit.scope !== null)) {
    const { share, unit } = usedShare(standing);
    // guard: budget: a warning before it is spent
    if (share * 100 < settings.warnPercent) continue;
    const { limit, spent } = standing;
    const inserted = await tx
      .insertInto('budget_warnings')
      .values({
        budget: limit.budget,
        label: limit.label,
        unit,
        period_start: limit.period.start,
        conversation_id: request.spender.id,
        spent: unit === 'usd' ? spent.microUsd : spent.tokens,
        cap: unit === 'usd' ? Math.round(limit.cap.usd! * 1e6) : limit.cap.tokens!,
        at: request.now,
      })
      .onConflict((c) => c.columns(['budget', 'unit', 'period_start']).doNothing())
      .returning('seq')
      .executeTakeFirst();
    if (inserted !== undefined) warned.push({ label: limit.label, share, standing, unit });
  }
  return warned;
}

/**
 * What an attempt before this one had on its way is lost: it counts at its most, because nobody knows what the model's
 * side has charged for it.
 */
export async function loseEarlier(rows: Rows, dispatchId: string): Promise<number> {
  const { numUpdatedRows } = await rows
    .updateTable('model_reservations')
    .set({ state: 'lost' })
    .where('dispatch_id', '=', dispatchId)
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
