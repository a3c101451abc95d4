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
} from '../../test/support/mailbox.ts';
import { assignedEvent } from '../../test/support/sample-events.ts';
import { carryHanded, noteTaken, steeringMessages } from './handing.ts';
import { settleDispatch } from './settlement.ts';

describeDatabases('a message handed to a run under way', (open) => {
  test('is carried before it is handed over, in the prompt once a turn has taken it, and leaves no empty dispatch', async () => {
    const database = await open();
    const { rows } = database;
    const conversation = await conversationOn(rows);
    await say(rows, conversation);
    const held = await lease(database);
    await say(rows, conversation);
    await say(rows, conversation, { event: assignedEvent('dev-bot') });
    const waiting = await steeringMessages(rows, conversation.id);
    expect(waiting).toHaveLength(1);
    const ids = waiting.map(({ id }) => id);
    expect(await carryHanded(database, held, { messages: ids, input: 'input-1', now: NOW })).toEqual(ids);
    expect(await steeringMessages(rows, conversation.id)).toEqual([]);
    await noteTaken(database, held, { input: 'input-1', now: NOW + 5 });
    const [, handed, other] = await messagesIn(rows);
    expect(handed).toMatchObject({ state: 'carried', handed_as: 'input-1', delivered_at: NOW + 5 });
    expect(JSON.parse((await dispatchOf(rows, held.dispatch.id)).carried)).toContain(handed!.id);
    const succeeded = { settlement: { state: 'succeeded' as const }, now: NOW };
    await settleDispatch(database, held, succeeded);
    expect((await messagesIn(rows)).map((m) => m.state)).toEqual(['answered', 'answered', 'waiting']);
    // The other message still waits, and has its dispatch.
    const next = await lease(database);
    expect(next.messages.map(({ id }) => id)).toEqual([other!.id]);
    await say(rows, conversation);
    const [again] = await steeringMessages(rows, conversation.id);
    await carryHanded(database, next, { messages: [again!.id], input: 'input-2', now: NOW });
    await settleDispatch(database, next, succeeded);
    expect((await dispatchesIn(rows)).map((d) => d.state)).toEqual(['succeeded', 'succeeded', 'cancelled']);
  });

  test('that no turn has taken waits for the next dispatch, as new as before', async () => {
    const database = await open();
    const { rows } = database;
    const conversation = await conversationOn(rows);
    await say(rows, conversation);
    const held = await lease(database);
    await say(rows, conversation);
    const [late] = await steeringMessages(rows, conversation.id);
    await carryHanded(database, held, { messages: [late!.id], input: 'input-1', now: NOW });
    await settleDispatch(database, held, {
      settlement: { state: 'failed', reason: 'max-turns' },
      unanswered: [late!.id],
      now: NOW,
    });
    expect((await messagesIn(rows)).at(-1)).toMatchObject({ state: 'waiting', handed_as: null });
    expect((await lease(database)).messages.map(({ id }) => id)).toEqual([late!.id]);
  });
});
