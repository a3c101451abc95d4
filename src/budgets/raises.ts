/** More for one budget, by a person: until its period ends, or until another time. */
import type { BudgetSettings } from '../config/budget-settings.ts';
import { type Database, serialise } from '../database/database.ts';
import { currentHolds, type Hold, liftHold } from '../mailbox/holds.ts';
import { BUDGET_LOCK } from './admission.ts';
import { periodOf } from './calendar.ts';

export interface Raise {
  /** `conversation:<id>`, `repository:<forge>/<id>`, `agent:<name>`, `day` or `month` */
  budget: string;
  usd: number;
  tokens: number;
  /** null = until the budget's period ends; of a conversation for good */
  until: number | null;
  by: string;
  now: number;
}

/** The hold of its scope is lifted: a budget that is still spent is held again by the next request. */
export async function raiseBudget(
  database: Database,
  settings: Pick<BudgetSettings, 'timeZone'>,
  raise: Raise,
): Promise<{ until: number | null; lifted: Hold[] }> {
  const until = raise.until ?? periodEnd(raise, settings.timeZone);
  return await database.transaction(async (tx) => {
    await serialise(database.dialect, tx, BUDGET_LOCK);
    await tx
      .insertInto('budget_raises')
      .values({
        id: crypto.randomUUID(),
        budget: raise.budget,
        micro_usd: Math.round(raise.usd * 1e6),
        tokens: raise.tokens,
        by_name: raise.by,
        at: raise.now,
        until,
      })
      .execute();
    const key = raise.budget === 'day' || raise.budget === 'month' ? 'all' : raise.budget;
    const held = (await currentHolds(tx, raise.now)).filter((h) => h.scope === key && h.by_kind === 'budget');
    const lifted: Hold[] = [];
    for (const { id } of held) {
      const by = { kind: 'person', name: raise.by } as const;
      lifted.push(...(await liftHold(tx, { id, by, now: raise.now })).lifted);
    }
    return { until, lifted };
  });
}

function periodEnd({ budget, now }: Raise, timeZone: string): number | null {
  if (budget.startsWith('conversation:')) return null;
  return periodOf(now, budget === 'month' ? 'month' : 'day', timeZone).end;
}
