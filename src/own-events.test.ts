import { expect, test } from 'vitest';
import { describeDatabases } from '../test/support/databases.ts';
import { conversationOn, dispatchesIn, lease, NOW, say } from '../test/support/mailbox.ts';
import { sayTo, tellTimer } from './own-events.ts';
import { noteOf } from './vocabulary.ts';

describeDatabases('a word by command', (open) => {
  test('is a message of its own, due at once, with the item of the last event and nobody’s comment', async () => {
    const database = await open();
    const conversation = await conversationOn(database.rows);
    await say(database.rows, conversation);
    const held = await lease(database);
    const said = { conversationId: conversation.id, text: 'Use the new parser.', by: 'ada', now: NOW };
    const { deliveryId, dispatchId } = await database.transaction((tx) => sayTo(tx, said));
    expect(dispatchId).not.toBe(held.dispatch.id);
    const [event] = (
      await database.rows.selectFrom('events').selectAll().where('delivery_id', '=', deliveryId).execute()
    ).map((row) => JSON.parse(row.event!));
    expect(event).toMatchObject({ name: 'person.said', item: { number: 12 }, comment: null });
    expect(noteOf(event)).toEqual({ text: 'Use the new parser.', by: 'ada' });
    expect((await dispatchesIn(database.rows)).at(-1)).toMatchObject({ state: 'queued', due_at: NOW });
    const delivery = await database.rows
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', deliveryId)
      .executeTakeFirstOrThrow();
    expect(delivery).toMatchObject({ state: 'routed', source: 'said', sender_login: 'ada', item_number: 12 });
  });

  test('to a conversation that is not there is refused with the way to those that are', async () => {
    const database = await open();
    const said = { conversationId: 'nowhere', text: 'hello', by: 'ada', now: NOW };
    await expect(database.transaction((tx) => sayTo(tx, said))).rejects.toThrow(
      '`claude-hooks conversations`',
    );
    await expect(
      database.transaction((tx) =>
        tellTimer(tx, { id: 't', conversationId: 'nowhere', reason: 'x', now: NOW }),
      ),
    ).rejects.toThrow('There is no conversation nowhere');
  });
});
