import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { dispatchOf, lease, messagesIn, NOW, say, waitingOn } from '../../test/support/mailbox.ts';
import { ForgeRefused } from '../errors.ts';
import { once } from '../outcome/effects.ts';
import { settleDispatch } from './settlement.ts';
import { isLastAnswered, lastIsUnposted, postAgain } from './unposted.ts';

describeDatabases('an answer that the forge refused', (open) => {
  async function stage() {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const held = await lease(database);
    const deps = { database, now: () => NOW, assertMine: async () => {} };
    const comment = (perform: () => Promise<{ url: string }>) =>
      once(deps, {
        dispatchId: held.dispatch.id,
        conversationId: conversation.id,
        kind: 'comment',
        request: {},
        find: async () => null,
        perform,
      });
    await comment(() => Promise.reject(new ForgeRefused('locked', 403)));
    await database.rows.updateTable('dispatches').set({ answer: 'Fixed.' }).execute();
    await settleDispatch(database, held, {
      settlement: { state: 'unposted', reason: 'the forge refused the answer: locked' },
      seen: '{"1":{}}',
      now: NOW + 1,
    });
    return { database, conversation, dispatchId: held.dispatch.id, comment };
  }

  test('is a state of its own: the agent has seen what it answered, and the message says why nobody reads it', async () => {
    const { database, conversation, dispatchId } = await stage();
    expect(await dispatchOf(database.rows, dispatchId)).toMatchObject({
      state: 'unposted',
      answer: 'Fixed.',
    });
    expect(await messagesIn(database.rows)).toMatchObject([
      { state: 'declined', reason: 'the forge refused the answer: locked' },
    ]);
    const row = await database.rows.selectFrom('conversations').select('seen').executeTakeFirstOrThrow();
    expect(row.seen).toBe('{"1":{}}');
    expect(await lastIsUnposted(database.rows, conversation.id)).toBe(true);
  });

  test('is posted when a person asks for it, with what it carried', async () => {
    const { database, dispatchId, comment } = await stage();
    expect(await postAgain(database, { dispatchId, now: NOW + 2 })).toEqual({ kind: 'waiting' });
    const again = await lease(database, { now: NOW + 3 });
    expect(again).toMatchObject({ dispatch: { id: dispatchId }, previous: { answer: 'Fixed.' } });
    expect(again.messages).toHaveLength(1);
    expect(await comment(async () => ({ url: 'there' }))).toEqual({ kind: 'done', result: { url: 'there' } });
    await settleDispatch(database, again, { settlement: { state: 'succeeded' }, now: NOW + 4 });
    expect(await messagesIn(database.rows)).toMatchObject([{ state: 'answered', reason: null }]);
    expect(await postAgain(database, { dispatchId, now: NOW + 5 })).toEqual({
      kind: 'not-unposted',
      state: 'succeeded',
    });
  });

  test('waits for a dispatch of the same conversation that waits already, and knows that it is not the last', async () => {
    const { database, conversation, dispatchId } = await stage();
    await say(database.rows, conversation);
    expect(await postAgain(database, { dispatchId, now: NOW + 2 })).toMatchObject({ kind: 'busy' });
    const next = await lease(database, { now: NOW + 100_000 });
    expect(await isLastAnswered(database.rows, await dispatchOf(database.rows, dispatchId))).toBe(true);
    await settleDispatch(database, next, { settlement: { state: 'succeeded' }, now: NOW + 100_001 });
    expect(await isLastAnswered(database.rows, await dispatchOf(database.rows, dispatchId))).toBe(false);
    expect(await lastIsUnposted(database.rows, conversation.id)).toBe(false);
  });
});
