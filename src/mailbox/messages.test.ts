import { expect, test } from 'vitest';
import { describeDatabases, untilWaiting } from '../../test/support/databases.ts';
import {
  conversationOn,
  dispatchesIn,
  dispatchOf,
  lease,
  messagesIn,
  NOW,
  say,
  waitingOn,
} from '../../test/support/mailbox.ts';
import { commentEvent } from '../../test/support/sample-events.ts';
import type { Rows } from '../database/database.ts';
import { assertLease } from './leases.ts';
import { type CommentPlace, declineWaiting, waitingOfComment } from './messages.ts';
import { type Settlement, settleDispatch } from './settlement.ts';

const QUIET = { quietMs: 10_000, maxWaitMs: 25_000 };

const dueAt = async (rows: Rows): Promise<number> => (await dispatchesIn(rows)).at(-1)!.due_at - NOW;

describeDatabases('coalescing', (open) => {
  test('messages of one conversation wait for one dispatch', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    const first = await say(rows, conversation);
    expect(await say(rows, conversation)).toEqual(first);
    expect(await dispatchesIn(rows)).toHaveLength(1);
    expect((await messagesIn(rows)).map((m) => m.state)).toEqual(['waiting', 'waiting']);
    await say(rows, await conversationOn(rows, { number: 13 }));
    expect(await dispatchesIn(rows)).toHaveLength(2);
  });

  test('the quiet window moves with every message, up to the longest wait after the first', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    for (const [after, due] of [
      [0, 10_000],
      [6_000, 16_000],
      [14_000, 24_000],
      [22_000, 25_000],
      [40_000, 25_000],
    ] as const) {
      await say(rows, conversation, { now: NOW + after, ...QUIET });
      expect(await dueAt(rows), `message after ${after} ms`).toBe(due);
    }
  });

  test('a longest wait below the quiet window holds for the first message too', async () => {
    const { rows } = await open();
    await say(rows, await conversationOn(rows), { quietMs: 10_000, maxWaitMs: 3_000 });
    expect(await dueAt(rows)).toBe(3_000);
  });

  test('a message with a shorter window does not cut an earlier one short', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    await say(rows, conversation, QUIET);
    await say(rows, conversation, { quietMs: 0, maxWaitMs: 0 });
    expect(await dueAt(rows)).toBe(10_000);
  });

  test('the most urgent message sets the priority', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    for (const priority of [50, 90, 10]) await say(rows, conversation, { priority });
    expect((await dispatchesIn(rows))[0]!.priority).toBe(90);
  });

  test.each<[Settlement, number]>([
    [{ state: 'parked', reason: 'usage limit', until: NOW + 3_600_000 }, 3_600_000],
    [{ state: 'interrupted', reason: 'stopped' }, 0],
  ])('a dispatch that is %o keeps its own time', async (settlement, due) => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    await settleDispatch(database, await lease(database), { settlement, now: NOW });
    await say(database.rows, conversation, { priority: 90, ...QUIET });
    expect(await dispatchesIn(database.rows)).toHaveLength(1);
    expect(await dueAt(database.rows)).toBe(due);
    expect((await dispatchesIn(database.rows))[0]!.priority).toBe(90);
  });

  test('a message that comes during a run makes the next dispatch', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const running = await lease(database);
    const { dispatchId } = await say(database.rows, conversation);
    expect(dispatchId).not.toBe(running.dispatch.id);
    expect((await messagesIn(database.rows)).map((m) => [m.state, m.dispatch_id])).toEqual([
      ['carried', running.dispatch.id],
      ['waiting', null],
    ]);
  });

  test('one delivery speaks once in one mailbox', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    await say(rows, conversation, { deliveryId: 'd1' });
    await expect(say(rows, conversation, { deliveryId: 'd1' })).rejects.toThrow(/unique/i);
    await say(rows, await conversationOn(rows, { number: 13 }), { deliveryId: 'd1' });
  });

  test('a message that meets a starting run is not left without a dispatch', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const queued = (await dispatchesIn(database.rows))[0]!;
    const holding = Promise.withResolvers<void>();
    const starting = database.transaction(async (tx) => {
      // As `leaseConversation` does it, held open at its most delicate point.
      await tx
        .updateTable('conversations')
        .set({ lease_token: 1 })
        .where('id', '=', conversation.id)
        .execute();
      holding.resolve();
      await untilWaiting(database);
      await tx.updateTable('dispatches').set({ state: 'running' }).where('id', '=', queued.id).execute();
    });
    await holding.promise;
    const { dispatchId } = await database.transaction((tx) => say(tx, conversation));
    await starting;
    expect(await dispatchOf(database.rows, dispatchId)).toMatchObject({ state: 'queued' });
  });

  test('a message that meets an interruption joins the interrupted dispatch', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const running = await lease(database);
    const holding = Promise.withResolvers<void>();
    const stopping = database.transaction(async (tx) => {
      await assertLease(tx, running);
      holding.resolve();
      await untilWaiting(database);
      await tx
        .updateTable('dispatches')
        .set({ state: 'interrupted' })
        .where('id', '=', running.dispatch.id)
        .execute();
    });
    await holding.promise;
    const said = await database.transaction((tx) => say(tx, conversation));
    await stopping;
    expect(said).toEqual({ dispatchId: running.dispatch.id });
  });
});

async function declineMessagesOfComment(rows: Rows, place: CommentPlace): Promise<number> {
  return await declineWaiting(rows, { messages: await waitingOfComment(rows, place), now: NOW + 1 });
}

describeDatabases('a deleted comment', (open) => {
  const deleted = { forge: 'home', repositoryId: '3', commentId: 501 };

  test('declines what waits for it and nothing else', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    await say(rows, conversation);
    const other = commentEvent('stays');
    await say(rows, conversation, { event: { ...other, comment: { ...other.comment!, id: 502 } } });
    await say(rows, await conversationOn(rows, { agent: 'review' }));
    await say(rows, await conversationOn(rows, { repositoryId: '4' }));
    expect(await declineMessagesOfComment(rows, deleted)).toBe(2);
    const states = (await messagesIn(rows)).map((m) => m.state);
    expect(states).toEqual(['declined', 'waiting', 'declined', 'waiting']);
    expect((await messagesIn(rows))[0]).toMatchObject({
      reason: expect.stringContaining('deleted'),
      settled_at: NOW + 1,
    });
  });

  test('does not take back what a run has taken up', async () => {
    const database = await open();
    await waitingOn(database.rows);
    await lease(database);
    expect(await declineMessagesOfComment(database.rows, deleted)).toBe(0);
    expect((await messagesIn(database.rows))[0]!.state).toBe('carried');
  });
});
