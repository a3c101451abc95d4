/**
 * Budgets under requests at once, crashes, retries, raises and the passing of days, on the real rooms. Whatever happens,
 * the total passes no cap by more than one request.
 *   npx vitest run test/properties/budgets.test.ts              100 seeds
 *   FAULTS=all npx vitest run test/properties/budgets.test.ts   10,000 seeds, some two minutes
 *   SEED=17 npx vitest run test/properties/budgets.test.ts      one of them
 */
import { expect, test } from 'vitest';
import { loseEarlier, type Reserved, reserve } from '../../src/budgets/admission.ts';
import { periodOf } from '../../src/budgets/calendar.ts';
import { type Limit, limitsOf, type Spender } from '../../src/budgets/limits.ts';
import { raiseBudget } from '../../src/budgets/raises.ts';
import type { BudgetSettings } from '../../src/config/budget-settings.ts';
import { type Database, migrate, openDatabase } from '../../src/database/database.ts';
import { Ledger } from '../../src/gateway/ledger.ts';
import { silentLog } from '../../src/log.ts';

const { SEED, FAULTS } = process.env;
const SEEDS = FAULTS === 'all' ? 10_000 : 100;
const OPERATIONS = 25;
const START = Date.UTC(2026, 2, 27, 20);
const HOUR = 3_600_000;
const NO_CAPS = { usd: null, tokens: null };

const caps = (usd: number | null, tokens: number | null) => ({ usd, tokens });

const SETTINGS: BudgetSettings = {
  timeZone: 'Europe/Berlin',
  warnPercent: 80,
  run: caps(0.6, null),
  conversation: caps(1.5, 60_000),
  repositoryDay: caps(2, null),
  agentDay: caps(null, 70_000),
  day: caps(2.5, null),
  month: caps(4, 200_000),
  quietHours: [],
  startWhenLeftPercent: 0,
  agents: {
    reviewer: {
      run: null,
      conversation: caps(1, null),
      day: caps(1.2, null),
      quietHours: null,
      startWhenLeftPercent: null,
    },
  },
  repositories: {
    'ada/two': {
      run: null,
      conversation: null,
      day: caps(1.1, 50_000),
      quietHours: null,
      startWhenLeftPercent: null,
    },
  },
};

const SPENDERS: Spender[] = [
  { id: 'c1', agent: 'dev', repository_id: '1', repository_name: 'ada/one' },
  { id: 'c2', agent: 'reviewer', repository_id: '1', repository_name: 'ada/one' },
  { id: 'c3', agent: 'dev', repository_id: '2', repository_name: 'ada/two' },
].map((of, n) => ({ ...of, forge: 'home', item_number: n + 1, dispatchId: `d${n + 1}` }));

interface OnItsWay {
  id: string;
  spender: Spender;
  at: number;
  most: { tokens: number; microUsd: number };
}

interface Charged {
  spender: Spender;
  at: number;
  tokens: number;
  microUsd: number;
}

/** mulberry32: the same numbers for a seed on every machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

class World {
  readonly #database: Database;
  readonly #ledger: Ledger;
  readonly #random: (below: number) => number;
  #now = START;
  #onTheirWay: OnItsWay[] = [];
  readonly #charged: Charged[] = [];
  readonly #raised = new Map<string, { usd: number; tokens: number }>();
  readonly answers: Record<string, number> = {};

  constructor(database: Database, seed: number) {
    this.#database = database;
    this.#ledger = new Ledger({ database, log: silentLog });
    this.#random = randomOf(seed);
  }

  async step(): Promise<void> {
    const dice = this.#random(20);
    if (dice < 10) await this.#ask();
    else if (dice < 15) await this.#end();
    else if (dice < 17) await this.#crash();
    else if (dice < 18) await this.#raise();
    else this.#now += this.#random(9) * HOUR;
    this.#check();
  }

  async #ask(): Promise<void> {
    const spender = SPENDERS[this.#random(SPENDERS.length)]!;
    const most = { tokens: 1000 + this.#random(30_000), microUsd: 10_000 + this.#random(500_000) };
    const reserved: Reserved = await reserve(this.#database, SETTINGS, {
      spender,
      runCaps: NO_CAPS,
      most,
      now: this.#now,
    });
    this.answers[reserved.kind] = (this.answers[reserved.kind] ?? 0) + 1;
    if (reserved.kind === 'reserved')
      this.#onTheirWay.push({ id: reserved.id, spender, at: this.#now, most });
    // Nobody would end what it waits for.
    if (reserved.kind === 'busy') expect(this.#onTheirWay.length).toBeGreaterThan(0);
  }

  /** The answer has come: it costs what it may, or less. */
  async #end(): Promise<void> {
    const [one] = this.#onTheirWay.splice(this.#random(this.#onTheirWay.length || 1), 1);
    if (one === undefined) return;
    const cost = this.#charge(one, this.#now);
    this.#ledger.request(
      {
        dispatch_id: one.spender.dispatchId,
        conversation_id: one.spender.id,
        agent: one.spender.agent,
        at: this.#now,
        model: 'm',
        status: 200,
        outcome: 'answered',
        input_tokens: cost.tokens,
        output_tokens: 0,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        micro_usd: cost.microUsd,
        first_byte_ms: null,
        total_ms: null,
      },
      { id: one.id, cost: 'known' },
    );
    await this.#ledger.settled();
  }

  #charge({ spender, most }: OnItsWay, at: number): Charged {
    const part = 1 + this.#random(100);
    const [tokens, microUsd] = [most.tokens, most.microUsd].map((n) => Math.ceil((n * part) / 100));
    const cost = { spender, at, tokens: tokens!, microUsd: microUsd! };
    this.#charged.push(cost);
    return cost;
  }

  /** Kill -9 with requests on their way: the model's side charges for them, and nobody here hears how much. */
  async #crash(): Promise<void> {
    for (const one of this.#onTheirWay) this.#charge(one, one.at);
    this.#onTheirWay = [];
    for (const { dispatchId } of SPENDERS) await loseEarlier(this.#database.rows, dispatchId);
  }

  async #raise(): Promise<void> {
    const budget = ['conversation:c1', 'day', 'agent:reviewer', 'month'][this.#random(4)]!;
    const raise = {
      budget,
      usd: this.#random(5) / 10,
      tokens: this.#random(3) * 5000,
      until: null,
      by: 'ada',
    };
    await raiseBudget(this.#database, SETTINGS, { ...raise, now: this.#now });
    const known = this.#raised.get(budget) ?? { usd: 0, tokens: 0 };
    this.#raised.set(budget, { usd: known.usd + raise.usd, tokens: known.tokens + raise.tokens });
  }

  #check(): void {
    for (const spender of SPENDERS) {
      for (const limit of limitsOf(SETTINGS, spender, { now: this.#now, runCaps: NO_CAPS }))
        this.#keeps(limit, spender);
    }
  }

  #keeps(limit: Limit, of: Spender): void {
    const counted = this.#charged.filter(
      ({ at, spender }) => at >= limit.period.start && counts(limit, of, spender),
    );
    const raised = this.#raised.get(limit.budget) ?? { usd: 0, tokens: 0 };
    for (const [unit, cap] of [
      ['microUsd', limit.cap.usd === null ? null : (limit.cap.usd + raised.usd) * 1e6],
      ['tokens', limit.cap.tokens === null ? null : limit.cap.tokens + raised.tokens],
    ] as const) {
      if (cap === null) continue;
      const costs = counted.map((one) => one[unit]);
      const total = costs.reduce((sum, cost) => sum + cost, 0);
      // A call of `expect` takes longer than the sum itself, and there are thirty after each step.
      const most = cap + Math.max(0, ...costs) + 1;
      if (!(total < most)) throw new Error(`${limit.budget} in ${unit}: ${total} is not below ${most}`);
    }
  }
}

function counts(limit: Limit, of: Spender, spender: Spender): boolean {
  switch (limit.kind) {
    case 'run':
    case 'conversation':
      return spender.id === of.id;
    case 'repository':
      return spender.repository_id === of.repository_id;
    case 'agent':
      return spender.agent === of.agent;
    case 'day':
    case 'month':
      return true;
  }
}

async function emptied(database: Database): Promise<void> {
  for (const table of [
    'model_requests',
    'model_reservations',
    'budget_raises',
    'budget_warnings',
    'holds',
  ] as const) {
    await database.rows.deleteFrom(table).execute();
  }
}

async function filled(database: Database): Promise<void> {
  await migrate(database);
  for (const { id, agent, repository_id, repository_name, item_number, dispatchId } of SPENDERS) {
    await database.rows
      .insertInto('conversations')
      .values({
        ...{
          id,
          agent,
          repository_id,
          repository_name,
          item_number,
          forge: 'home',
          item_kind: 'issue',
          title: 't',
        },
        ...{ created_at: 1, updated_at: 1, lease_token: 1, lease_until: 1 },
      })
      .execute();
    await database.rows
      .insertInto('dispatches')
      .values({
        ...{
          id: dispatchId,
          conversation_id: id,
          agent,
          state: 'running',
          priority: 1,
          created_at: 1,
          due_at: 1,
        },
        ...{ attempt: 1, carried: '[]' },
      })
      .execute();
  }
}

test(`no cap is passed by more than one request, ${SEED === undefined ? `${SEEDS} seeds` : `seed ${SEED}`}`, async () => {
  const database = openDatabase({ url: 'sqlite::memory:' });
  try {
    await filled(database);
    const seeds = SEED === undefined ? Array.from({ length: SEEDS }, (_, n) => n + 1) : [Number(SEED)];
    const answers: Record<string, number> = {};
    for (const seed of seeds) {
      await emptied(database);
      const world = new World(database, seed);
      try {
        for (let n = 0; n < OPERATIONS; n++) await world.step();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      for (const [kind, n] of Object.entries(world.answers)) answers[kind] = (answers[kind] ?? 0) + n;
    }
    if (SEED !== undefined) return;
    // The test would be worth nothing if one of the answers never came.
    console.info(`budgets: ${SEEDS} seeds, answers ${JSON.stringify(answers)}`);
    for (const kind of ['reserved', 'busy', 'spent']) expect(answers[kind], kind).toBeGreaterThan(SEEDS / 20);
  } finally {
    await database.close();
  }
}, 3_600_000);

test('a day in the test zone has its own length', () => {
  const { start, end } = periodOf(Date.UTC(2026, 2, 29, 12), 'day', SETTINGS.timeZone);
  expect((end! - start) / HOUR).toBe(23);
});
