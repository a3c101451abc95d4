/**
 * Requests to the model and their cost, summed over all rows there ever were. Sums of old rows are kept, so that a scrape
 * reads only the rows since.
 */
import { setImmediate } from 'node:timers/promises';
import type { Database, Rows } from '../database/database.ts';
import type { Sample } from './registry.ts';

/** Rows read in one statement; SQLite blocks the event loop while it answers. */
const STEP = 1000;
/** Rows of this age are old: no transaction is open for so long, so none can still add a row before them. */
const SETTLED_MS = 10 * 60_000;
/** A series for each repository of an owner with thousands would be a burden for whoever stores them. */
export const MOST_REPOSITORIES = 200;

interface Sums {
  agent: string;
  forge: string;
  repositoryId: string;
  repository: string;
  outcome: string;
  status: string;
  requests: number;
  unpriced: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  microUsd: number;
}

export interface ModelSamples {
  claude_hooks_model_cost_usd_total: Sample[];
  claude_hooks_model_unpriced_requests_total: Sample[];
  claude_hooks_model_tokens_total: Sample[];
  claude_hooks_model_requests_total: Sample[];
}

export class ModelTotals {
  readonly #database: Database;
  readonly #step: number;
  readonly #kept = new Map<string, Sums>();
  /** every row up to here is in `#kept` */
  #cursor = 0;

  constructor(database: Database, { step = STEP } = {}) {
    this.#database = database;
    this.#step = step;
  }

  async samples(now: number): Promise<ModelSamples> {
    await this.#keepOld(now);
    const { rows } = this.#database;
    const all = new Map([...this.#kept].map(([key, sums]) => [key, { ...sums }]));
    add(all, await sumsOf(rows, { after: this.#cursor, upTo: null }));
    return samplesOf([...all.values()]);
  }

  async #keepOld(now: number): Promise<void> {
    const { rows } = this.#database;
    const newest = await rows
      .selectFrom('model_requests')
      .select((e) => e.fn.max('seq').as('seq'))
      .executeTakeFirst();
    const top = Number(newest?.seq ?? 0);
    for (let from = this.#cursor; from < top; ) {
      const end = Math.min(from + this.#step, top);
      const part = rows.selectFrom('model_requests').where('seq', '>', from);
      const recent = await part
        .select((e) => e.fn.min('seq').as('seq'))
        .where('seq', '<=', end)
        .where('at', '>=', now - SETTLED_MS)
        .executeTakeFirst();
      // Up to the last row that exists: the numbers after it may belong to transactions that have not committed yet.
      const last = await part
        .select((e) => e.fn.max('seq').as('seq'))
        // guard: a row of the ledger counts once
        .where('seq', '<=', recent?.seq == null ? end : Number(recent.seq) - 1)
        .executeTakeFirst();
      if (last?.seq != null) {
        add(this.#kept, await sumsOf(rows, { after: this.#cursor, upTo: Number(last.seq) }));
        this.#cursor = Number(last.seq);
      }
      if (recent?.seq != null) return;
      from = end;
      // The first scrape reads all rows. SQLite answers synchronously, so only a turn of the event loop lets others run.
      await setImmediate();
    }
  }
}

async function sumsOf(rows: Rows, { after, upTo }: { after: number; upTo: number | null }): Promise<Sums[]> {
  let query = rows
    .selectFrom('model_requests as r')
    .leftJoin('conversations as c', 'c.id', 'r.conversation_id')
    .where('r.seq', '>', after)
    .select(['r.agent', 'r.outcome', 'r.status', 'c.forge', 'c.repository_id', 'c.repository_name'])
    .select(({ fn }) => [
      fn.min('r.seq').as('first'),
      fn.countAll<number>().as('requests'),
      fn.count<number>('r.micro_usd').as('priced'),
      fn.sum<number>('r.input_tokens').as('input'),
      fn.sum<number>('r.output_tokens').as('output'),
      fn.sum<number>('r.cache_read_tokens').as('cacheRead'),
      fn.sum<number>('r.cache_write_tokens').as('cacheWrite'),
      fn.sum<number | null>('r.micro_usd').as('microUsd'),
    ])
    .groupBy(['r.agent', 'r.outcome', 'r.status', 'c.forge', 'c.repository_id', 'c.repository_name'])
    // The oldest repositories get series of their own, so that a restart does not change which they are.
    .orderBy('first');
  if (upTo !== null) query = query.where('r.seq', '<=', upTo);
  const found = await query.execute();
  return found.map((row) => ({
    agent: row.agent,
    forge: row.forge ?? 'unknown',
    repositoryId: row.repository_id ?? 'unknown',
    repository: row.repository_name ?? 'unknown',
    outcome: row.outcome,
    status: row.status === null ? 'none' : String(row.status),
    requests: Number(row.requests),
    unpriced: Number(row.requests) - Number(row.priced),
    input: Number(row.input),
    output: Number(row.output),
    cacheRead: Number(row.cacheRead),
    cacheWrite: Number(row.cacheWrite),
    microUsd: Number(row.microUsd ?? 0),
  }));
}

const SUMMED = ['requests', 'unpriced', 'input', 'output', 'cacheRead', 'cacheWrite', 'microUsd'] as const;

function add(to: Map<string, Sums>, sums: readonly Sums[]): void {
  for (const more of sums) {
    const key = JSON.stringify([more.agent, more.forge, more.repositoryId, more.outcome, more.status]);
    const known = to.get(key);
    if (known === undefined) {
      to.set(key, { ...more });
      continue;
    }
    for (const name of SUMMED) known[name] += more[name];
    // Rows come oldest first, so the newest name stays.
    known.repository = more.repository;
  }
}

function samplesOf(all: readonly Sums[]): ModelSamples {
  const cost = new Totals();
  const unpriced = new Totals();
  const tokens = new Totals();
  const requests = new Totals();
  const placeOf = repositoryLabels(all);
  for (const sums of all) {
    const { agent, outcome, status } = sums;
    cost.add({ agent, ...placeOf(sums) }, sums.microUsd / 1e6);
    unpriced.add({ agent }, sums.unpriced);
    tokens.add({ agent, kind: 'input' }, sums.input);
    tokens.add({ agent, kind: 'cache_write' }, sums.cacheWrite);
    tokens.add({ agent, kind: 'cache_read' }, sums.cacheRead);
    tokens.add({ agent, kind: 'output' }, sums.output);
    requests.add({ agent, outcome, status }, sums.requests);
  }
  return {
    claude_hooks_model_cost_usd_total: cost.samples(),
    claude_hooks_model_unpriced_requests_total: unpriced.samples(),
    claude_hooks_model_tokens_total: tokens.samples(),
    claude_hooks_model_requests_total: requests.samples(),
  };
}

/** By the repository's id, so that a rename makes no second one; under the name it had last. */
function repositoryLabels(all: readonly Sums[]): (of: Sums) => { forge: string; repository: string } {
  const names = new Map<string, string>();
  const keyOf = (of: Sums) => JSON.stringify([of.forge, of.repositoryId]);
  for (const sums of all) {
    const key = keyOf(sums);
    if (names.has(key) || names.size < MOST_REPOSITORIES) names.set(key, sums.repository);
  }
  return (of) => {
    const repository = names.get(keyOf(of));
    return repository === undefined
      ? { forge: 'other', repository: 'other' }
      : { forge: of.forge, repository };
  };
}

class Totals {
  readonly #samples = new Map<string, Sample>();

  add(labels: Record<string, string>, value: number): void {
    const key = JSON.stringify(labels);
    const known = this.#samples.get(key);
    if (known === undefined) this.#samples.set(key, { labels, value });
    else known.value += value;
  }

  samples(): Sample[] {
    return [...this.#samples.values()];
  }
}
