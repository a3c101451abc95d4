/** The schema is the last guard: it refuses what the code must never write. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DispatchState } from '../../src/vocabulary.ts';
import { describeDatabases, type TestDatabase } from '../support/databases.ts';
import { conversationOn, NOW, say } from '../support/mailbox.ts';

/** One row of every guarded kind, and the same again under another id. */
async function writers({ rows }: TestDatabase) {
  const conversation = await conversationOn(rows);
  const ofDispatch = { dispatch_id: 'd1', conversation_id: conversation.id };
  return {
    deliveries: () =>
      rows
        .insertInto('deliveries')
        .values({
          ...{ id: randomUUID(), forge: 'home', forge_delivery_id: 'forge-id-1', source: 'webhook' },
          ...{ headers: '{}', body: Buffer.from('{}'), received_at: NOW, state: 'received' },
          ...{ attempts: 0, next_attempt_at: NOW },
        })
        .execute(),
    events: () =>
      rows
        .insertInto('events')
        .values({
          ...{ id: randomUUID(), forge: 'home', semantic_key: 'key', source: 'webhook' },
          ...{ delivery_id: randomUUID(), event: null },
        })
        .execute(),
    messages: () => say(rows, conversation, { deliveryId: 'delivery-1' }),
    sessions: () =>
      rows
        .insertInto('sessions')
        .values({
          ...{ id: randomUUID(), conversation_id: conversation.id, ordinal: 1, state: 'proposed', size: 0 },
          ...{ failed_resumes: 0, synthesised: 0, config_folder: '/state', created_at: NOW },
        })
        .execute(),
    effects: () =>
      rows
        .insertInto('effects')
        .values({
          ...{ ...ofDispatch, id: randomUUID(), key: 'd1:comment', kind: 'comment', state: 'planned' },
          ...{ request: '{}', attempts: 1, created_at: NOW },
        })
        .execute(),
  };
}

const GUARDS = [
  ['deliveries', 'two deliveries with one id of the forge'],
  ['events', 'two firsts of one happening'],
  ['messages', 'one delivery twice in one mailbox'],
  ['sessions', 'two sessions at one place of a chain'],
  ['effects', 'one effect twice'],
] as const;

const PAIRS: [DispatchState, DispatchState, 'refused' | 'taken'][] = [
  ['running', 'running', 'refused'],
  ['queued', 'queued', 'refused'],
  ['queued', 'parked', 'refused'],
  ['parked', 'interrupted', 'refused'],
  ['running', 'queued', 'taken'],
  ['succeeded', 'succeeded', 'taken'],
];

describeDatabases('the schema', (open) => {
  test.each(GUARDS)('%s: refuses %s', async (table) => {
    const write = (await writers(await open()))[table];
    await write();
    await expect(write()).rejects.toThrow(/unique/i);
  });

  test.each(PAIRS)('a %s and a %s dispatch of one conversation are %s', async (first, second, answer) => {
    const { rows } = await open();
    const { id, agent } = await conversationOn(rows);
    const write = (state: DispatchState) =>
      rows
        .insertInto('dispatches')
        .values({
          ...{ id: randomUUID(), conversation_id: id, agent, state, priority: 50, created_at: NOW },
          ...{ due_at: NOW, attempt: 0, carried: '[]' },
        })
        .execute();
    await write(first);
    if (answer === 'refused') await expect(write(second)).rejects.toThrow(/unique/i);
    else await write(second);
  });
});
