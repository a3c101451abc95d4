import { DatabaseSync } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import { describe, expect, test } from 'vitest';
import { describeDatabases, openSqlite } from '../../test/support/databases.ts';
import { addManyConversations, FIRST_CHANGED, idOf } from '../../test/support/many-conversations.ts';
import { sampleConversation } from '../../test/support/sample-session.ts';
import { countStatements } from '../../test/support/statements.ts';
import type { Rows } from '../database/database.ts';
import { joinConversation } from '../mailbox/conversations.ts';
import { type ConversationPlace, conversationPage, listConversations } from './conversation-list.ts';
import { describeConversation } from './conversations.ts';
import { explain } from './explain-item.ts';

const NOW = FIRST_CHANGED + 60_000;

async function pages(rows: Rows, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  let after: ConversationPlace | null = null;
  do {
    const page = await conversationPage(rows, { limit, after, now: NOW });
    found.push(page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  return found;
}

describeDatabases('pages of conversations', (open) => {
  test('have each conversation once, last changed first, also those that changed at one moment', async () => {
    const database = await open();
    const ids: string[] = [];
    for (let number = 1; number <= 7; number++) {
      const { id } = await sampleConversation(database, { number });
      ids.push(id);
      // Five of them at one moment, over the end of a page.
      const at = number === 1 ? 1000 : number === 7 ? 3000 : 2000;
      await database.rows.updateTable('conversations').set({ updated_at: at }).where('id', '=', id).execute();
    }
    const wanted = [ids[6]!, ...ids.slice(1, 6).sort(), ids[0]!];
    expect(await pages(database.rows, 3)).toEqual([wanted.slice(0, 3), wanted.slice(3, 6), wanted.slice(6)]);
    expect((await pages(database.rows, 7)).flat()).toEqual(wanted);
  });

  test('go on where they ended, whatever has changed before that', async () => {
    const database = await open();
    for (let number = 1; number <= 4; number++) {
      const { id } = await sampleConversation(database, { number });
      await database.rows
        .updateTable('conversations')
        .set({ updated_at: number })
        .where('id', '=', id)
        .execute();
    }
    const first = await conversationPage(database.rows, { limit: 2, after: null });
    expect(first.items.map((c) => c.number)).toEqual([4, 3]);
    await database.rows
      .updateTable('conversations')
      .set({ updated_at: 9 })
      .where('item_number', '=', 1)
      .execute();
    const second = await conversationPage(database.rows, { limit: 2, after: first.next });
    expect(second.items.map((c) => c.number)).toEqual([2]);
    expect(second.next).toBeNull();
  });
});

describe('of 100,000 conversations', () => {
  const COUNT = 100_000;

  test('a list, one conversation and one item take as many statements as of a few, and read one page', async () => {
    const database = await openSqlite();
    addManyConversations(database.url, COUNT);
    const { rows, statements, sent } = countStatements(database.rows);

    const list = await listConversations(rows, { limit: 100, now: NOW });
    expect(statements()).toBe(7);
    expect(list.total).toBe(COUNT);
    expect(list.conversations.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => idOf(n)));
    expect(list.conversations[0]).toMatchObject({
      state: { kind: 'waiting' },
      waitingMessages: 1,
      unpostedAnswers: 0,
    });
    expect(list.conversations[1]).toMatchObject({
      state: { kind: 'refused', why: 'because of 1' },
      unpostedAnswers: 1,
    });
    expect(list.conversations[2]).toMatchObject({ state: { kind: 'idle' }, waitingMessages: 0 });
    expect(list.conversations[11]).toMatchObject({ state: { kind: 'failed', why: 'because of 11' } });

    // Deep in the list, where an offset would have read 99,900 rows first.
    const after = { updatedAt: FIRST_CHANGED - Math.floor(99_899 / 3), id: idOf(99_899) };
    const last = await conversationPage(rows, { limit: 1000, after, now: NOW });
    expect(statements()).toBe(6);
    expect(last.items.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => idOf(99_900 + n)));
    expect(last.next).toBeNull();

    // More than a page, as `--limit 10000` asks for.
    const many = await listConversations(rows, { limit: 1200, now: NOW });
    expect(statements()).toBe(2 + 3 * 5);
    expect(many.conversations.map(({ id }) => id)).toEqual(Array.from({ length: 1200 }, (_, n) => idOf(n)));

    expect(costlySteps(database.url, sent)).toEqual([]);

    const item = { forge: 'home', repositoryId: '42', kind: 'issue', number: 70_001 } as const;
    await joinConversation(database.rows, { item, agent: 'dev' }, idOf(70_001));
    const { conversations } = await describeConversation(rows, idOf(70_001), NOW);
    expect(conversations).toMatchObject([{ number: 70_001, dispatches: [{ id: 'ended-70001' }] }]);
    expect(statements()).toBeLessThanOrEqual(16);
    expect(await explain(rows, idOf(70_001), { limit: 50, now: NOW })).toMatchObject({ total: 0 });
    expect(statements()).toBeLessThanOrEqual(20);
  });
});

/** What the database itself plans for these statements, where it reads a whole table, sorts, or reads all of one state. */
function costlySteps(url: string, sent: readonly CompiledQuery[]): string[] {
  const db = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
  const plans = sent.flatMap(({ sql, parameters }) => {
    const steps = db.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
    return steps.map(({ detail }) => String(detail));
  });
  db.close();
  expect(plans.length).toBeGreaterThan(sent.length);
  // How many there are is counted in an index; a page ends its walk along one with its limit; holds are a few rows.
  const isFine = (step: string) =>
    /^SCAN (conversations USING (COVERING )?INDEX|holds USING INDEX holds_in_force)/.test(step);
  return plans.filter((step) => /^SCAN|TEMP B-TREE|dispatches_due/.test(step) && !isFine(step));
}
