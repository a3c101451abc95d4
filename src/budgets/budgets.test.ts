import { expect, onTestFinished, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { conversationOn, lease, NOW, tryLease, waitingOn } from '../../test/support/mailbox.ts';
import { type Budgets, createBudgets, type Permit } from '../budgets.ts';
import type { BudgetSettings, Caps } from '../config/budget-settings.ts';
import type { ConversationRow } from '../database/tables.ts';
import { armFault } from '../faults.ts';
import { Ledger } from '../gateway/ledger.ts';
import { silentLog } from '../log.ts';
import { currentHolds, liftHold } from '../mailbox/holds.ts';
import { raiseBudget } from './raises.ts';
import { budgetsNow } from './status.ts';

const HOUR = 3_600_000;
const DAY_END = 24 * HOUR;
const NO_CAPS: Caps = { usd: null, tokens: null };
const usd = (usd: number): Caps => ({ usd, tokens: null });
const tokens = (tokens: number): Caps => ({ usd: null, tokens });

const NOTHING: BudgetSettings = {
  timeZone: 'UTC',
  warnPercent: 80,
  ...{ run: null, conversation: null, repositoryDay: null, agentDay: null, day: null, month: null },
  ...{ quietHours: [], startWhenLeftPercent: 0, agents: {}, repositories: {} },
};

class Purse {
  now = NOW;
  settings: BudgetSettings;
  readonly budgets: Budgets;
  readonly logged: string[] = [];
  readonly #ledger: Ledger;

  constructor(database: TestDatabase, settings: Partial<BudgetSettings>) {
    this.settings = { ...NOTHING, ...settings };
    const log = { ...silentLog, warn: (text: string) => void this.logged.push(text) };
    this.budgets = createBudgets({ database, settings: () => this.settings, log, now: () => this.now });
    this.#ledger = new Ledger({ database, log: silentLog });
  }

  ask(
    of: ConversationRow,
    most = { tokens: 100, microUsd: 100_000 as number | null },
    caps = NO_CAPS,
    dispatchId = `d-${of.id}`,
  ): Promise<Permit> {
    return this.budgets.permit({ dispatchId, conversationId: of.id, agent: of.agent, caps }, most);
  }

  async settle(
    of: ConversationRow,
    permit: Permit,
    cost: { tokens: number; microUsd: number },
  ): Promise<void> {
    if (permit.kind !== 'reserved') throw new Error(`${permit.kind} is nothing to settle`);
    this.#ledger.request(
      {
        ...{ dispatch_id: `d-${of.id}`, conversation_id: of.id, agent: of.agent, at: this.now, model: 'm' },
        ...{ status: 200, outcome: 'answered', input_tokens: cost.tokens, output_tokens: 0 },
        ...{ cache_read_tokens: 9999, cache_write_tokens: 0, micro_usd: cost.microUsd },
        ...{ first_byte_ms: 1, total_ms: 2 },
      },
      { id: permit.id, cost: 'known' },
    );
    await this.#ledger.settled();
  }

  async spend(of: ConversationRow, cost: { tokens: number; microUsd: number }): Promise<void> {
    await this.settle(of, await this.ask(of), cost);
  }
}

/** With a dispatch that runs, so that its requests are under way. */
async function running(database: TestDatabase, number: number, agent = 'dev'): Promise<ConversationRow> {
  await waitingOn(database.rows, { number, agent });
  const { conversation, dispatch } = await lease(database);
  await database.rows
    .updateTable('dispatches')
    .set({ id: `d-${conversation.id}` })
    .where('id', '=', dispatch.id)
    .execute();
  return conversation;
}

describeDatabases('a budget', (open) => {
  test('that is spent holds its scope until its period ends, and no other', async () => {
    const database = await open();
    const cases: [Partial<BudgetSettings>, string, number | null][] = [
      [{ conversation: usd(1) }, 'conversation:', null],
      [{ repositoryDay: usd(1) }, 'repository:home/3', DAY_END],
      [{ agentDay: tokens(50) }, 'agent:dev', DAY_END],
      [{ day: usd(1) }, 'all', DAY_END],
      [{ month: tokens(50) }, 'all', 31 * DAY_END],
    ];
    const conversation = await running(database, 1);
    for (const [settings, scope, until] of cases) {
      await database.rows.deleteFrom('model_requests').execute();
      const purse = new Purse(database, settings);
      await purse.spend(conversation, { tokens: 50, microUsd: 1_000_000 });
      const permit = await purse.ask(conversation);
      expect(permit).toMatchObject({
        kind: 'spent',
        cap: 'budget',
        why: expect.stringContaining('is spent'),
      });
      const [hold, ...more] = await currentHolds(database.rows, NOW);
      expect(more).toEqual([]);
      expect(hold).toMatchObject({ by_kind: 'budget', until });
      expect(hold!.scope.startsWith(scope), `${hold!.scope} for ${scope}`).toBe(true);
      await liftHold(database.rows, { id: hold!.id, by: { kind: 'person', name: 'ada' }, now: NOW });
    }
  });

  test('counts once what was reserved and then settled, and cache reads not at all', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { conversation: tokens(100) });
    await purse.spend(conversation, { tokens: 60, microUsd: 0 });
    expect(await database.rows.selectFrom('model_reservations').selectAll().execute()).toEqual([]);
    expect(await purse.ask(conversation, { tokens: 10, microUsd: 0 })).toMatchObject({ kind: 'reserved' });
  });

  test('lets requests at once wait for each other where they might pass it together', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { day: tokens(150) });
    const asked = await Promise.all(Array.from({ length: 8 }, () => purse.ask(conversation)));
    expect(asked.map(({ kind }) => kind).toSorted()).toEqual([
      ...Array(6).fill('busy'),
      'reserved',
      'reserved',
    ]);
    await purse.settle(conversation, asked.find((p) => p.kind === 'reserved')!, { tokens: 10, microUsd: 0 });
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'reserved' });
  });

  test('counts what a dead run had on its way at its most', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { conversation: tokens(100) });
    expect(await purse.ask(conversation, { tokens: 100, microUsd: null })).toMatchObject({
      kind: 'reserved',
    });
    expect(await purse.ask(conversation)).toEqual({ kind: 'busy' });
    await purse.budgets.opened(`d-${conversation.id}`);
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'spent', cap: 'budget' });
    expect(purse.logged[0]).toMatch(/cut off by a crash/);
  });

  test('in dollars refuses a model without a price; in tokens it takes it', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { day: usd(5) });
    const unpriced = { tokens: 100, microUsd: null };
    expect(await purse.ask(conversation, unpriced)).toMatchObject({
      kind: 'spent',
      cap: 'max-usd',
      why: expect.stringContaining('price of this model is not known'),
    });
    expect(await currentHolds(database.rows, NOW)).toEqual([]);
    purse.settings = { ...NOTHING, day: tokens(1000) };
    expect(await purse.ask(conversation, unpriced)).toMatchObject({ kind: 'reserved' });
  });

  test('of a run ends the run and holds nothing', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { run: usd(5) });
    const caps = tokens(50);
    await purse.settle(conversation, await purse.ask(conversation, undefined, caps), {
      tokens: 50,
      microUsd: 1,
    });
    expect(await purse.ask(conversation, undefined, caps)).toMatchObject({
      kind: 'spent',
      cap: 'max-tokens',
    });
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'reserved' });
    expect(await currentHolds(database.rows, NOW)).toEqual([]);
  });

  test('is warned of once in its period', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { day: usd(1) });
    await purse.spend(conversation, { tokens: 1, microUsd: 790_000 });
    await purse.spend(conversation, { tokens: 1, microUsd: 10_000 });
    expect(purse.logged).toEqual([]);
    for (let n = 0; n < 2; n++) await purse.spend(conversation, { tokens: 1, microUsd: 1 });
    expect(purse.logged).toEqual(['80 % of the budget of all agents is spent: $0.8 of $1']);
    expect(await database.rows.selectFrom('budget_warnings').selectAll().execute()).toMatchObject([
      { budget: 'day', unit: 'usd', spent: 800_000, cap: 1_000_000, conversation_id: conversation.id },
    ]);
    purse.now += DAY_END;
    await purse.spend(conversation, { tokens: 1, microUsd: 900_000 });
    await purse.spend(conversation, { tokens: 1, microUsd: 1 });
    expect(purse.logged).toHaveLength(2);
  });

  test('that is raised, or set higher, lets go on what it has held', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { conversation: usd(1), day: usd(1) });
    await purse.spend(conversation, { tokens: 1, microUsd: 1_000_000 });
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'spent' });
    const raise = {
      budget: `conversation:${conversation.id}`,
      usd: 1,
      tokens: 0,
      until: null,
      by: 'ada',
      now: NOW,
    };
    const raised = await raiseBudget(database, purse.settings, raise);
    expect(raised).toMatchObject({ until: null, lifted: [{ scope: raise.budget }] });
    // Now it is the day's turn.
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'spent' });
    expect(await raiseBudget(database, purse.settings, { ...raise, budget: 'day' })).toMatchObject({
      until: DAY_END,
    });
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'reserved' });
    expect(await budgetsNow(database.rows, purse.settings, NOW)).toMatchObject([
      { budget: 'day', usd: { spent: 1, cap: 2 }, used: 0.5, underWay: { usd: 0.1 } },
    ]);

    purse.settings = { ...NOTHING, agentDay: usd(1) };
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'spent' });
    purse.settings = { ...NOTHING, agentDay: usd(9) };
    expect(await currentHolds(database.rows, NOW)).toHaveLength(1);
    purse.now += 1;
    await purse.budgets.look();
    expect(await currentHolds(database.rows, purse.now)).toEqual([]);
  });

  test('lets no run begin in quiet hours, of its agent or its repository first', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows, { number: 1 });
    const own = { run: null, conversation: null, day: null, startWhenLeftPercent: null };
    // NOW is 00:16 of the first of January 1970, a Thursday.
    const purse = new Purse(database, { quietHours: ['22:00-06:00'] });
    expect(await purse.budgets.startHeld(conversation)).toMatchObject({
      until: 6 * HOUR,
      reason: expect.stringContaining('quiet hours (UTC)'),
    });
    expect(await tryLease(database)).toBeNull();
    expect(await tryLease(database, { now: 6 * HOUR })).not.toBeNull();
    await database.rows.deleteFrom('holds').execute();
    purse.settings = { ...purse.settings, agents: { dev: { ...own, quietHours: ['00:00-01:00'] } } };
    expect(await purse.budgets.startHeld(conversation)).toMatchObject({ scope: 'agent:dev', until: HOUR });
    await database.rows.deleteFrom('holds').execute();
    purse.settings = { ...purse.settings, repositories: { 'team/shop': { ...own, quietHours: [] } } };
    expect(await purse.budgets.startHeld(conversation)).toBeNull();
  });

  test('lets a run begin only while enough is left of it; one that runs goes on', async () => {
    const database = await open();
    const conversation = await running(database, 1);
    const purse = new Purse(database, { day: usd(1), startWhenLeftPercent: 20 });
    await purse.spend(conversation, { tokens: 1, microUsd: 800_000 });
    expect(await purse.budgets.startHeld(conversation)).toBeNull();
    await purse.spend(conversation, { tokens: 1, microUsd: 10_000 });
    const other = await conversationOn(database.rows, { number: 2 });
    expect(await purse.budgets.startHeld(other)).toMatchObject({
      scope: 'all',
      until: DAY_END,
      reason: expect.stringContaining('less than 20 % of the budget of all agents is left'),
    });
    expect(await purse.ask(conversation)).toMatchObject({ kind: 'reserved' });
  });
});

describeDatabases('a kill in the middle', (open) => {
  test.each(['budget.reserved', 'budget.held', 'budget.settled'] as const)(
    'at %s leaves all or nothing',
    async (point) => {
      const database = await open();
      const conversation = await running(database, 1);
      const purse = new Purse(database, { conversation: tokens(100) });
      if (point === 'budget.held') await purse.spend(conversation, { tokens: 100, microUsd: 0 });
      const reserved = point === 'budget.settled' ? await purse.ask(conversation) : null;
      const state = async () => ({
        open: (await database.rows.selectFrom('model_reservations').select('id').execute()).length,
        rows: (await database.rows.selectFrom('model_requests').select('seq').execute()).length,
        holds: (await currentHolds(database.rows, NOW)).length,
        warnings: (await database.rows.selectFrom('budget_warnings').select('seq').execute()).length,
      });
      const before = await state();
      onTestFinished(() => armFault(null));
      // A transaction that is not committed is gone after kill -9; an error in it is the same for the rows.
      armFault((passed) => {
        if (passed === point) throw new Error('killed');
      });
      if (reserved === null) await expect(purse.ask(conversation)).rejects.toThrow('killed');
      else await purse.settle(conversation, reserved, { tokens: 1, microUsd: 1 });
      armFault(null);
      expect(await state()).toEqual(before);
      if (point === 'budget.settled') {
        // The row is lost with the process, and the reservation stands in for it.
        await purse.budgets.opened(`d-${conversation.id}`);
        expect(await purse.ask(conversation)).toMatchObject({ kind: 'spent' });
      } else {
        const after = await purse.ask(conversation);
        expect(after.kind).toBe(point === 'budget.held' ? 'spent' : 'reserved');
        expect((await state()).holds).toBe(point === 'budget.held' ? 1 : 0);
      }
    },
  );
});
