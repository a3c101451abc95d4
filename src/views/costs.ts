/** What the model has cost, by whom or by when, from the ledger. */
import type { Rows } from '../database/database.ts';

export const COSTS_BY = ['conversation', 'repository', 'agent', 'model', 'day'] as const;
export type CostsBy = (typeof COSTS_BY)[number];

export interface CostView {
  /** what was asked for: `home:ada/greeter#1`, an agent, a model, a day of UTC */
  of: string;
  requests: number;
  usd: number;
  /** requests whose model has no known price: their cost is in no sum */
  unpriced: number;
  tokens: { input: number; output: number; cacheRead: number; cacheWrite: number };
}

export interface CostList {
  by: CostsBy;
  /** dearest first; days newest first */
  costs: CostView[];
  total: Omit<CostView, 'of'>;
  /** requests that a crash or a stop cut off before their cost was known: budgets count each at the most it may have cost */
  unknown: { requests: number; atMostUsd: number };
}

export interface CostQuery {
  by: CostsBy;
  /** ms */
  since: number;
  limit: number;
}

const DAY_MS = 86_400_000;

export async function listCosts(rows: Rows, { by, since, limit }: CostQuery): Promise<CostList> {
  const costs = (await summed(rows, by, since)).map((row) => ({ ...viewOf(row), of: row.of }));
  const sorted = costs.toSorted((a, b) =>
    by === 'day' ? b.of.localeCompare(a.of) : b.usd - a.usd || b.tokens.output - a.tokens.output,
  );
  return {
    by,
    costs: sorted.slice(0, limit),
    total: sumOf(costs),
    unknown: await unknownSince(rows, since),
  };
}

async function summed(rows: Rows, by: CostsBy, since: number): Promise<Summed[]> {
  const query = sumsSince(rows, since);
  switch (by) {
    case 'conversation': {
      const key = ['c.agent', 'c.forge', 'c.repository_name', 'c.item_number'] as const;
      const found = await query.select(key).groupBy(key).execute();
      return found.map((r) => ({
        ...r,
        of: r.forge === null ? NONE : `${r.agent} on ${r.forge}:${r.repository_name}#${r.item_number}`,
      }));
    }
    case 'repository': {
      const key = ['c.forge', 'c.repository_name'] as const;
      const found = await query.select(key).groupBy(key).execute();
      return found.map((r) => ({ ...r, of: r.forge === null ? NONE : `${r.forge}:${r.repository_name}` }));
    }
    case 'agent':
      return (await query.select('r.agent').groupBy('r.agent').execute()).map((r) => ({ ...r, of: r.agent }));
    case 'model': {
      const found = await query.select('r.model').groupBy('r.model').execute();
      return found.map((r) => ({ ...r, of: r.model ?? 'no model named' }));
    }
    case 'day': {
      const found = await query
        .select((e) => e('r.at', '/', e.lit(DAY_MS)).as('day'))
        .groupBy((e) => e('r.at', '/', e.lit(DAY_MS)))
        .execute();
      return found.map((r) => ({ ...r, of: new Date(Number(r.day) * DAY_MS).toISOString().slice(0, 10) }));
    }
  }
}

const NONE = 'no conversation';

function sumsSince(rows: Rows, since: number) {
  return rows
    .selectFrom('model_requests as r')
    .leftJoin('conversations as c', 'c.id', 'r.conversation_id')
    .where('r.at', '>=', since)
    .where('r.outcome', '!=', 'capped')
    .select(({ fn }) => [
      fn.countAll<number>().as('requests'),
      fn.count<number>('r.micro_usd').as('priced'),
      fn.sum<number | null>('r.micro_usd').as('microUsd'),
      fn.sum<number>('r.input_tokens').as('input'),
      fn.sum<number>('r.output_tokens').as('output'),
      fn.sum<number>('r.cache_read_tokens').as('cacheRead'),
      fn.sum<number>('r.cache_write_tokens').as('cacheWrite'),
    ]);
}

interface Summed {
  of: string;
  requests: number;
  priced: number;
  microUsd: number | null;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** PostgreSQL answers sums of bigints as text. */
function viewOf(row: Summed): Omit<CostView, 'of'> {
  return {
    requests: Number(row.requests),
    usd: Number(row.microUsd ?? 0) / 1e6,
    unpriced: Number(row.requests) - Number(row.priced),
    tokens: {
      input: Number(row.input),
      output: Number(row.output),
      cacheRead: Number(row.cacheRead),
      cacheWrite: Number(row.cacheWrite),
    },
  };
}

function sumOf(costs: readonly Omit<CostView, 'of'>[]): Omit<CostView, 'of'> {
  const total = {
    requests: 0,
    usd: 0,
    unpriced: 0,
    tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  };
  for (const cost of costs) {
    total.requests += cost.requests;
    total.usd += cost.usd;
    total.unpriced += cost.unpriced;
    for (const kind of ['input', 'output', 'cacheRead', 'cacheWrite'] as const)
      total.tokens[kind] += cost.tokens[kind];
  }
  return total;
}

async function unknownSince(rows: Rows, since: number): Promise<CostList['unknown']> {
  const found = await rows
    .selectFrom('model_reservations')
    .select(({ fn }) => [fn.countAll<number>().as('n'), fn.sum<number | null>('micro_usd').as('most')])
    .where('state', '=', 'lost')
    .where('at', '>=', since)
    .executeTakeFirstOrThrow();
  return { requests: Number(found.n), atMostUsd: Number(found.most ?? 0) / 1e6 };
}
