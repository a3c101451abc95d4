import { describe, expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import { exchangesOf, type NewTurn, readTurns, recordTurn, shorten } from './record.ts';

async function recorder(database: TestDatabase) {
  const { id: conversationId } = await conversationOn(database.rows);
  const record = async (dispatchId: string, kind: NewTurn['kind'], content: string): Promise<void> => {
    await recordTurn(database.rows, { dispatchId, conversationId, kind, content, uuid: null, now: NOW });
  };
  return { record, read: async () => exchangesOf(await readTurns(database.rows, conversationId)) };
}

describeDatabases('the record', (open) => {
  test('tells what was asked, done and answered, dispatch by dispatch', async () => {
    const { record, read } = await recorder(await open());
    await record('a', 'prompt', 'Correct the totals.');
    await record('a', 'text', 'I look at the code.');
    await record('a', 'tool', 'Edit {"file_path":"src/total.ts"}');
    await record('b', 'prompt', 'And the tests?');
    await record('a', 'answer', 'Done.');
    expect(await read()).toEqual([
      {
        dispatchId: 'a',
        prompt: 'Correct the totals.',
        actions: ['Edit {"file_path":"src/total.ts"}'],
        answer: 'Done.',
      },
      { dispatchId: 'b', prompt: 'And the tests?', actions: [], answer: null },
    ]);
  });

  test('counts a prompt that was sent again once, and keeps a new one beside it', async () => {
    const { record, read } = await recorder(await open());
    await record('a', 'prompt', 'Correct the totals.');
    await record('a', 'prompt', 'Correct the totals.');
    await record('a', 'prompt', 'You were cut off; go on.');
    expect((await read())[0]!.prompt).toBe('Correct the totals.\n\nYou were cut off; go on.');
  });

  test('keeps the last answer of a dispatch', async () => {
    const { record, read } = await recorder(await open());
    await record('a', 'answer', 'first');
    await record('a', 'answer', 'second');
    expect((await read())[0]!.answer).toBe('second');
  });

  test('is shortened where it is long, and takes any text', async () => {
    const { record, read } = await recorder(await open());
    await record('a', 'answer', 'x'.repeat(30_000));
    await record('b', 'answer', 'nul \0, half a surrogate \ud83e');
    const [long, odd] = await read();
    expect(long!.answer).toBe(`${'x'.repeat(20_000)} … [10000 characters more]`);
    expect(odd!.answer).toMatch(/^nul ., half a surrogate ./s);
  });

  test('of another conversation is not read', async () => {
    const database = await open();
    const { record } = await recorder(database);
    await record('a', 'prompt', 'mine');
    const other = await conversationOn(database.rows, { number: 13 });
    expect(exchangesOf(await readTurns(database.rows, other.id))).toEqual([]);
  });
});

describe('shorten', () => {
  test('leaves what fits', () => {
    expect(shorten('12345', 5)).toBe('12345');
    expect(shorten('123456', 5)).toBe('12345 … [1 characters more]');
  });
});
