/** What was spent, and what may be on its way to be spent, from the rows. */
import type { Rows } from '../database/database.ts';
import type { Limit, Spender } from './limits.ts';

export interface Spent {
  microUsd: number;
  tokens: number;
  /** requests whose price is not known: they count in tokens only */
  unpriced: number;
}

/** `open`: the most that requests under way may cost. Those of runs that are gone count as spent, at their most. */
export async function spentOf(rows: Rows, limit: Limit, of: Spender): Promise<{ spent: Spent; open: Spent }> {
  const settled = await ledgerSum(rows, limit, of);
  const { lost, open } = await reservedSum(rows, limit, of);
  return { spent: plus(settled, lost), open };
}

function plus(a: Spent, b: Spent): Spent {
  return {
    microUsd: a.microUsd + b.microUsd,
    tokens: a.tokens + b.tokens,
    unpriced: a.unpriced + b.unpriced,
  };
}

async function ledgerSum(rows: Rows, limit: Limit, of: Spender): Promise<Spent> {
  let query = rows
    .selectFrom('model_requests as r')
    .select(({ fn, eb }) => [
      fn.coalesce(fn.sum<number>('r.micro_usd'), eb.lit(0)).as('microUsd'),
      fn.coalesce(fn.sum<number>('r.input_tokens'), eb.lit(0)).as('input'),
      fn.coalesce(fn.sum<number>('r.output_tokens'), eb.lit(0)).as('output'),
      fn.coalesce(fn.sum<number>('r.cache_write_tokens'), eb.lit(0)).as('written'),
      fn.countAll<number>().as('all'),
      fn.count<number>('r.micro_usd').as('priced'),
    ]);
  if (limit.period.start > 0) query = query.where('r.at', '>=', limit.period.start);
  if (limit.kind === 'run') query = query.where('r.dispatch_id', '=', of.dispatchId);
  if (limit.kind === 'conversation') query = query.where('r.conversation_id', '=', of.id);
  if (limit.kind === 'agent') query = query.where('r.agent', '=', of.agent);
  if (limit.kind === 'repository') {
    query = query.where('r.conversation_id', 'in', (e) =>
      e
        .selectFrom('conversations as c')
        .select('c.id')
        .where('c.forge', '=', of.forge)
        .where('c.repository_id', '=', of.repository_id),
    );
  }
  const found = await query.executeTakeFirstOrThrow();
  return {
    microUsd: Number(found.microUsd),
    tokens: Number(found.input) + Number(found.output) + Number(found.written),
    unpriced: Number(found.all) - Number(found.priced),
  };
}

async function reservedSum(rows: Rows, limit: Limit, of: Spender): Promise<{ lost: Spent; open: Spent }> {
  let query = rows
    .selectFrom('model_reservations as r')
    .leftJoin('dispatches as d', 'd.id', 'r.dispatch_id')
    .select(['r.at', 'r.tokens', 'r.micro_usd', 'r.state', 'd.state as dispatch']);
  if (limit.kind === 'run') query = query.where('r.dispatch_id', '=', of.dispatchId);
  if (limit.kind === 'conversation') query = query.where('r.conversation_id', '=', of.id);
  if (limit.kind === 'agent') query = query.where('r.agent', '=', of.agent);
  if (limit.kind === 'repository') {
    query = query.where('r.forge', '=', of.forge).where('r.repository_id', '=', of.repository_id);
  }
  const lost: Spent = { microUsd: 0, tokens: 0, unpriced: 0 };
  const open: Spent = { microUsd: 0, tokens: 0, unpriced: 0 };
  for (const row of await query.execute()) {
    // A run that does not run any more cannot tell what its request has cost.
    const isOpen = row.state === 'open' && row.dispatch === 'running';
    // One under way may end in this period, whenever it began.
    if (!isOpen && row.at < limit.period.start) continue;
    const sum = isOpen ? open : lost;
    sum.tokens += row.tokens;
    sum.microUsd += row.micro_usd ?? 0;
    sum.unpriced += row.micro_usd === null ? 1 : 0;
  }
  return { lost, open };
}

export interface Raised {
  usd: number;
  tokens: number;
}

export async function raisedOf(rows: Rows, budget: string, now: number): Promise<Raised> {
  const found = await rows
    .selectFrom('budget_raises')
    .select(['micro_usd', 'tokens'])
    .where('budget', '=', budget)
    .where((e) => e.or([e('until', 'is', null), e('until', '>', now)]))
    .execute();
  const raised = { usd: 0, tokens: 0 };
  for (const row of found) {
    raised.usd += row.micro_usd / 1e6;
    raised.tokens += row.tokens;
  }
  return raised;
}
