import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import {
  conversationOn,
  dispatchesIn,
  LEASE_MS,
  lease,
  messagesIn,
  NOW,
  say,
  tryLease,
  waitingOn,
} from '../../test/support/mailbox.ts';
import type { Rows } from '../database/database.ts';
import type { ConversationRow, DispatchRow } from '../database/tables.ts';
import { LeaseLost } from '../errors.ts';
import { assertLease, renewLease, requireLease, updateLeased } from './leases.ts';
import { rescueExpired, settleDispatch } from './settlement.ts';

async function conversation(rows: Rows): Promise<ConversationRow> {
  return await rows.selectFrom('conversations').selectAll().executeTakeFirstOrThrow();
}

describeDatabases('leasing', (open) => {
  test('hands out the conversation, the dispatch and its messages', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    await say(database.rows, mine);
    const leased = await lease(database);
    expect(leased).toMatchObject({
      worker: 'worker-1',
      token: 1,
      conversation: { id: mine.id, lease_worker: 'worker-1', lease_until: NOW + LEASE_MS },
      dispatch: { state: 'running', attempt: 1, worker: 'worker-1', started_at: NOW, carried: '[]' },
      previous: null,
    });
    expect(leased.messages.map((m) => m.seq)).toEqual((await messagesIn(database.rows)).map((m) => m.seq));
    expect(leased.messages.map((m) => m.state)).toEqual(['carried', 'carried']);
  });

  test('eight workers at once get one run of each conversation', async () => {
    const database = await open();
    for (const number of [1, 2, 3]) await waitingOn(database.rows, { number });
    const leases = await Promise.all(
      Array.from({ length: 8 }, (_, i) => tryLease(database, { worker: `worker-${i}` })),
    );
    const taken = leases.filter((l) => l !== null);
    expect(taken.map((l) => l.conversation.item_number).sort()).toEqual([1, 2, 3]);
    expect(new Set(taken.map((l) => l.dispatch.worker)).size).toBe(3);
  });

  test('a conversation that runs is not leased again, whatever waits in it', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    const running = await lease(database);
    await say(database.rows, mine);
    expect(await tryLease(database)).toBeNull();
    // Its lease has run out, but until somebody rescues it the old run may still live.
    expect(await tryLease(database, { now: NOW + LEASE_MS })).toBeNull();
    await settleDispatch(database, running, { settlement: { state: 'succeeded' }, now: NOW });
    const next = await lease(database);
    expect(next.token).toBe(2);
    expect(next.dispatch.id).not.toBe(running.dispatch.id);
  });

  test('eight workers at once keep to an agent’s limit', async () => {
    const database = await open();
    for (const number of [1, 2, 3, 4, 5]) await waitingOn(database.rows, { number });
    await waitingOn(database.rows, { number: 6, agent: 'review' });
    const agentLimits = new Map([
      ['dev', 2],
      ['review', 2],
    ]);
    const leases = await Promise.all(Array.from({ length: 8 }, () => tryLease(database, { agentLimits })));
    const agents = leases.filter((l) => l !== null).map((l) => l.dispatch.agent);
    expect(agents.sort()).toEqual(['dev', 'dev', 'review']);
  });

  test('an agent this worker does not know is left to others', async () => {
    const database = await open();
    await waitingOn(database.rows, { agent: 'review' });
    expect(await tryLease(database, { agentLimits: new Map([['dev', 1]]) })).toBeNull();
    expect(await tryLease(database, { agentLimits: new Map() })).toBeNull();
    expect(await tryLease(database, { agentLimits: new Map([['review', 0]]) })).toBeNull();
    expect(await tryLease(database, { agentLimits: new Map([['review', 1]]) })).not.toBeNull();
  });

  test('the most urgent goes first, then the one due longest, then the oldest', async () => {
    const database = await open();
    for (const [number, priority, quietMs] of [
      [1, 50, 5_000],
      [2, 50, 3_000],
      [3, 50, 3_000],
      [4, 90, 9_000],
    ] as const) {
      const one = await conversationOn(database.rows, { number });
      await say(database.rows, one, { priority, quietMs, maxWaitMs: quietMs });
    }
    const order: number[] = [];
    for (let i = 0; i < 4; i++) {
      order.push((await lease(database, { now: NOW + 10_000 })).conversation.item_number);
    }
    expect(order).toEqual([4, 2, 3, 1]);
  });

  test('nothing is leased before it is due', async () => {
    const database = await open();
    await say(database.rows, await conversationOn(database.rows), { quietMs: 10_000, maxWaitMs: 60_000 });
    expect(await tryLease(database, { now: NOW + 9_999 })).toBeNull();
    expect(await tryLease(database, { now: NOW + 10_000 })).not.toBeNull();
  });

  test('a second attempt learns what the first had sent', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    const first = await lease(database);
    const carried = first.messages.map((m) => m.id);
    await database.rows
      .updateTable('dispatches')
      .set({ prompt: 'do it', carried: JSON.stringify(carried) })
      .where('id', '=', first.dispatch.id)
      .execute();
    await settleDispatch(database, first, {
      settlement: { state: 'interrupted', reason: 'stopped' },
      now: NOW,
    });
    await say(database.rows, mine);
    const second = await lease(database);
    expect(second.dispatch).toMatchObject({
      id: first.dispatch.id,
      attempt: 2,
      reason: null,
      ended_at: null,
    });
    expect(second.messages).toHaveLength(2);
    expect(second.previous).toEqual({ prompt: 'do it', carried, answer: null });
  });

  test('a second attempt that died before it sent anything does not hide the first', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    const first = await lease(database);
    const sent = { prompt: 'do it', carried: JSON.stringify([first.messages[0]!.id]) };
    await database.rows.updateTable('dispatches').set(sent).where('id', '=', first.dispatch.id).execute();
    const interrupted = { settlement: { state: 'interrupted' as const, reason: 'stopped' }, now: NOW };
    await settleDispatch(database, first, interrupted);
    await say(database.rows, mine);
    await settleDispatch(database, await lease(database), interrupted);
    const third = await lease(database);
    expect(third.previous).toMatchObject({ prompt: 'do it', carried: [first.messages[0]!.id] });
  });
});

describeDatabases('a lease', (open) => {
  test('is prolonged by its holder', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    await renewLease(database.rows, held, NOW + 90_000);
    expect((await conversation(database.rows)).lease_until).toBe(NOW + 90_000);
    await expect(database.transaction((tx) => assertLease(tx, held))).resolves.toBeUndefined();
  });

  test('that another worker has now is lost', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const old = await lease(database);
    await rescueExpired(database, { now: NOW + LEASE_MS, deadWorkers: 'expired-only', reason: 'expired' });
    await expect(renewLease(database.rows, old, NOW + 90_000)).rejects.toThrow(LeaseLost);
    const current = await lease(database, { worker: 'worker-2', now: NOW + LEASE_MS });
    await expect(renewLease(database.rows, old, NOW + 90_000)).rejects.toThrow(LeaseLost);
    await expect(database.transaction((tx) => assertLease(tx, old))).rejects.toThrow(
      /raise worker.lease_seconds/,
    );
    await database.transaction((tx) => assertLease(tx, current));
    expect((await conversation(database.rows)).lease_until).toBe(NOW + 2 * LEASE_MS);
  });

  test('that the same worker holds again is lost to its earlier run', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const old = await lease(database);
    await rescueExpired(database, { now: NOW + LEASE_MS, deadWorkers: 'expired-only', reason: 'expired' });
    await lease(database, { now: NOW + LEASE_MS });
    await expect(renewLease(database.rows, old, NOW + 90_000)).rejects.toThrow(LeaseLost);
  });

  test('that was given back is lost: a late heartbeat does not hold up the next run', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    const held = await lease(database);
    await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now: NOW });
    await expect(renewLease(database.rows, held, NOW + 90_000)).rejects.toThrow(LeaseLost);
    await say(database.rows, mine);
    expect(await tryLease(database)).not.toBeNull();
  });

  test('a transaction that finds it lost writes nothing', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const old = await lease(database);
    await rescueExpired(database, { now: NOW + LEASE_MS, deadWorkers: 'expired-only', reason: 'expired' });
    const writing = database.transaction(async (tx) => {
      await tx.updateTable('dispatches').set({ answer: 'stale' }).execute();
      await assertLease(tx, old);
    });
    await expect(writing).rejects.toThrow(LeaseLost);
    expect((await dispatchesIn(database.rows))[0]!.answer).toBeNull();
  });
});

describeDatabases('the row of a leased dispatch', (open) => {
  test('is written by its holder, without a transaction', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    await updateLeased(database.rows, held, { prompt: 'Look.' });
    await requireLease(database.rows, held);
    expect((await dispatchesIn(database.rows))[0]!.prompt).toBe('Look.');
  });

  test.each([
    ['another worker has it now', { worker: 'worker-2' }],
    ['the same worker has it again', {}],
  ])('is not written by an earlier run: %s', async (_, next) => {
    const database = await open();
    await waitingOn(database.rows);
    const old = await lease(database);
    const now = NOW + LEASE_MS;
    await rescueExpired(database, { now, deadWorkers: 'expired-only', reason: 'expired' });
    await expect(updateLeased(database.rows, old, { prompt: 'stale' })).rejects.toThrow(LeaseLost);
    await lease(database, { ...next, now });
    await expect(updateLeased(database.rows, old, { prompt: 'stale' })).rejects.toThrow(LeaseLost);
    await expect(requireLease(database.rows, old)).rejects.toThrow(/raise worker.lease_seconds/);
    expect((await dispatchesIn(database.rows))[0]!.prompt).toBeNull();
  });
});

/** The schema's own guards, and what would happen without them: a guard that nothing needs would prove nothing. */
describeDatabases('the schema', (open) => {
  async function twin(rows: Rows, state: DispatchRow['state']): Promise<void> {
    const { seq: _, ...dispatch } = (await dispatchesIn(rows))[0]!;
    await rows
      .insertInto('dispatches')
      .values({ ...dispatch, id: `twin-${state}`, state })
      .execute();
  }

  test('refuses a second running dispatch of a conversation', async () => {
    const database = await open({ altersSchema: true });
    await waitingOn(database.rows);
    await lease(database);
    await expect(twin(database.rows, 'running')).rejects.toThrow(/unique/i);
    await sql`drop index dispatches_one_running`.execute(database.rows);
    await twin(database.rows, 'running');
    expect((await dispatchesIn(database.rows)).map((d) => d.state)).toEqual(['running', 'running']);
  });

  test.each(['queued', 'parked', 'interrupted'] as const)(
    'refuses a second that waits, %s',
    async (state) => {
      const database = await open({ altersSchema: true });
      await waitingOn(database.rows);
      await expect(twin(database.rows, state)).rejects.toThrow(/unique/i);
      await sql`drop index dispatches_one_waiting`.execute(database.rows);
      await twin(database.rows, state);
      expect((await dispatchesIn(database.rows)).map((d) => d.state)).toEqual(['queued', state]);
    },
  );

  test('allows any number that ended', async () => {
    const { rows } = await open();
    await waitingOn(rows);
    for (const state of ['succeeded', 'failed', 'cancelled', 'running'] as const) await twin(rows, state);
    expect(await dispatchesIn(rows)).toHaveLength(5);
  });
});
