import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import {
  conversationOn,
  dispatchesIn,
  dispatchOf,
  lease,
  messagesIn,
  NOW,
  say,
  tryLease,
  waitingOn,
} from '../../test/support/mailbox.ts';
import type { Database } from '../database/database.ts';
import type { ConversationRow, DispatchRow, MessageRow } from '../database/tables.ts';
import { LeaseLost } from '../errors.ts';
import type { Lease } from './leases.ts';
import { type Settlement, type SettleOptions, settleDispatch } from './settlement.ts';

const END = NOW + 5_000;
const UNTIL = NOW + 60_000;

async function leased(database: Database): Promise<Lease> {
  await waitingOn(database.rows);
  return await lease(database);
}

function settle(database: Database, held: Lease, settlement: Settlement, rest: Partial<SettleOptions> = {}) {
  return settleDispatch(database, held, { settlement, now: END, ...rest });
}

async function conversation(database: Database): Promise<ConversationRow> {
  return await database.rows.selectFrom('conversations').selectAll().executeTakeFirstOrThrow();
}

describeDatabases('settling', (open) => {
  test.each<[Settlement, Partial<DispatchRow>, Partial<MessageRow>]>([
    [{ state: 'succeeded' }, { reason: null }, { state: 'answered', reason: null, settled_at: END }],
    [
      { state: 'failed', reason: 'no such agent' },
      { reason: 'no such agent' },
      { state: 'declined', reason: 'no such agent', settled_at: END },
    ],
    [
      { state: 'cancelled', reason: 'by hand' },
      { reason: 'by hand' },
      { state: 'declined', reason: 'by hand', settled_at: END },
    ],
    [
      { state: 'parked', reason: 'usage limit', until: UNTIL },
      { reason: 'usage limit', due_at: UNTIL },
      { state: 'waiting', dispatch_id: null, settled_at: null },
    ],
    [
      { state: 'interrupted', reason: 'stopped' },
      { reason: 'stopped', due_at: END },
      { state: 'waiting', dispatch_id: null, settled_at: null },
    ],
  ])('as %o', async (settlement, dispatch, message) => {
    const database = await open();
    const held = await leased(database);
    await settle(database, held, settlement);
    expect(await dispatchesIn(database.rows)).toMatchObject([
      { ...dispatch, id: held.dispatch.id, state: settlement.state, ended_at: END },
    ]);
    expect(await messagesIn(database.rows)).toMatchObject([message]);
    expect(await conversation(database)).toMatchObject({
      lease_worker: null,
      lease_until: 0,
      updated_at: END,
    });
  });

  test('stores what the agent has seen only when it answered', async () => {
    const database = await open();
    await settle(
      database,
      await leased(database),
      { state: 'interrupted', reason: 'stopped' },
      { seen: 'half' },
    );
    expect((await conversation(database)).seen).toBeNull();
    const second = await lease(database, { now: END });
    await settle(database, second, { state: 'succeeded' }, { seen: 'all' });
    expect((await conversation(database)).seen).toBe('all');
    await waitingOn(database.rows);
    await settle(database, await lease(database, { now: END }), { state: 'succeeded' }, { seen: null });
    expect((await conversation(database)).seen).toBe('all');
  });

  test('touches no other conversation', async () => {
    const database = await open();
    const held = await leased(database);
    await waitingOn(database.rows, { number: 13 });
    const other = await lease(database);
    await settle(database, held, { state: 'succeeded' });
    expect((await dispatchOf(database.rows, other.dispatch.id)).state).toBe('running');
    expect((await messagesIn(database.rows)).map((m) => m.state)).toEqual(['answered', 'carried']);
  });

  test('a message that came during the run waits for its own dispatch', async () => {
    const database = await open();
    const held = await leased(database);
    const { dispatchId } = await say(database.rows, held.conversation);
    await settle(database, held, { state: 'succeeded' });
    expect((await messagesIn(database.rows)).map((m) => m.state)).toEqual(['answered', 'waiting']);
    const next = await lease(database, { now: END });
    expect([next.dispatch.id, next.messages.length]).toEqual([dispatchId, 1]);
  });

  test('messages that were not in the answered prompt wait, with a dispatch to come', async () => {
    const database = await open();
    const mine = await waitingOn(database.rows);
    await say(database.rows, mine, { priority: 70 });
    const held = await lease(database);
    const late = held.messages[1]!.id;
    await settle(database, held, { state: 'succeeded' }, { unanswered: [late] });
    expect(await messagesIn(database.rows)).toMatchObject([
      { state: 'answered', dispatch_id: held.dispatch.id },
      { state: 'waiting', dispatch_id: null },
    ]);
    const next = await lease(database, { now: END });
    expect(next.messages.map((m) => m.id)).toEqual([late]);
    expect(next.dispatch).toMatchObject({ priority: 70, attempt: 1 });
  });

  test('messages that were not in the answered prompt share the dispatch that waits already', async () => {
    const database = await open();
    const held = await leased(database);
    const { dispatchId } = await say(database.rows, held.conversation);
    await settle(database, held, { state: 'succeeded' }, { unanswered: [held.messages[0]!.id] });
    const next = await lease(database, { now: END });
    expect(next.dispatch.id).toBe(dispatchId);
    expect(next.messages.map((m) => m.seq)).toEqual((await messagesIn(database.rows)).map((m) => m.seq));
    expect(await tryLease(database, { now: END })).toBeNull();
  });

  test.each<Settlement>([
    { state: 'parked', reason: 'usage limit', until: UNTIL },
    { state: 'interrupted', reason: 'stopped' },
  ])('the newer dispatch is merged into the one that waits again: %o', async (settlement) => {
    const database = await open();
    const held = await leased(database);
    const { dispatchId } = await say(database.rows, held.conversation, { priority: 90 });
    await settle(database, held, settlement);
    expect(await dispatchOf(database.rows, dispatchId)).toMatchObject({
      state: 'cancelled',
      reason: `merged into dispatch ${held.dispatch.id}`,
      ended_at: END,
    });
    const next = await lease(database, { now: UNTIL });
    expect(next.dispatch).toMatchObject({ id: held.dispatch.id, priority: 90, attempt: 2 });
    expect(next.messages.map((m) => m.seq)).toEqual((await messagesIn(database.rows)).map((m) => m.seq));
  });

  test('trouble is counted, a limit and an interruption are not', async () => {
    const database = await open();
    await settle(database, await leased(database), { state: 'parked', reason: 'limit', until: UNTIL });
    const afterLimit = await lease(database, { now: UNTIL });
    await settle(database, afterLimit, { state: 'parked', reason: 'away', until: UNTIL, isTrouble: true });
    const afterTrouble = await lease(database, { now: UNTIL });
    await settle(database, afterTrouble, { state: 'interrupted', reason: 'stopped' });
    const { dispatch } = await lease(database, { now: UNTIL });
    expect(dispatch).toMatchObject({ attempt: 4, troubles: 1 });
  });

  test('a parked dispatch is not leased before its time', async () => {
    const database = await open();
    await settle(database, await leased(database), { state: 'parked', reason: 'limit', until: UNTIL });
    expect(await tryLease(database, { now: UNTIL - 1 })).toBeNull();
    expect(await tryLease(database, { now: UNTIL })).not.toBeNull();
  });

  test('a second time is refused, and takes nothing away from what came since', async () => {
    const database = await open();
    const held = await leased(database);
    await settle(database, held, { state: 'succeeded' });
    const { dispatchId } = await say(database.rows, await conversationOn(database.rows));
    await expect(settle(database, held, { state: 'interrupted', reason: 'late' })).rejects.toThrow(LeaseLost);
    expect((await dispatchOf(database.rows, dispatchId)).state).toBe('queued');
    expect((await dispatchOf(database.rows, held.dispatch.id)).state).toBe('succeeded');
  });
});
