import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import type { Database, Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { proposeSession } from '../sessions.ts';
import { liftMarks, markSession, marksOf, openMarks, restrictionBy, type Words } from './marks.ts';

async function propose(rows: Rows, follows: SessionRow | null = null): Promise<SessionRow> {
  const conversation = await conversationOn(rows);
  return await proposeSession(rows, {
    conversationId: conversation.id,
    configFolder: '/state/cli',
    synthesised: false,
    follows,
    reason: 'session-lost',
    now: NOW,
  });
}

async function read(database: Database, session: SessionRow, ...words: Words[]): Promise<void> {
  await database.transaction((tx) =>
    markSession(tx, {
      session: { id: session.id, conversationId: session.conversation_id },
      dispatchId: 'd1',
      source: 'prompt',
      words,
      now: NOW,
    }),
  );
}

const comment = (id: number, text = 'Do it.'): Words => ({
  author: 'eve',
  place: `comment ${id} on #1`,
  text,
});
const places = async (rows: Rows, { id }: SessionRow) =>
  (await openMarks(rows, id)).map(({ place }) => place);
const lift = (database: Database, { id }: SessionRow) =>
  liftMarks(database, { sessionId: id, by: 'ada', because: 'read', now: NOW + 5 });

describeDatabases('the marks of a session', (open) => {
  test('one text is one mark, an edit of it another; the sentence names the first and who wrote', async () => {
    const database = await open();
    const session = await propose(database.rows);
    expect(restrictionBy(await openMarks(database.rows, session.id))).toBeNull();
    await read(database, session, comment(5), comment(5), { ...comment(6), author: 'mallory' });
    await read(database, session, comment(5));
    expect(await places(database.rows, session)).toEqual(['comment 5 on #1', 'comment 6 on #1']);
    await read(database, session, comment(5, 'Do that.'));
    const marks = await openMarks(database.rows, session.id);
    expect(marks).toHaveLength(3);
    expect(restrictionBy(marks)).toBe(
      'it has read text by eve, mallory, who may not wake agents here (first: comment 5 on #1)',
    );
  });

  test('a flood of them is kept whole', async () => {
    const database = await open();
    const session = await propose(database.rows);
    await read(database, session, ...Array.from({ length: 333 }, (_, n) => comment(n)));
    expect(await places(database.rows, session)).toHaveLength(333);
    expect(await lift(database, session)).toBe(333);
    expect(await places(database.rows, session)).toEqual([]);
  });

  test('go on in every session that follows, whoever read the words first', async () => {
    const database = await open();
    const first = await propose(database.rows);
    await read(database, first, comment(5));
    const second = await propose(database.rows, first);
    const third = await propose(database.rows, second);
    expect(await openMarks(database.rows, third.id)).toMatchObject([
      { author: 'eve', place: 'comment 5 on #1', inherited_from: first.id, dispatch_id: 'd1', lift_id: null },
    ]);
    expect(await places(database.rows, second)).toEqual(['comment 5 on #1']);
  });

  test('are lifted by a person for what was there: the same words do not count again, later ones do', async () => {
    const database = await open();
    const session = await propose(database.rows);
    await read(database, session, comment(5));
    expect(await lift(database, session)).toBe(1);
    expect(await lift(database, session)).toBe(0);
    await read(database, session, comment(5));
    expect(await places(database.rows, session)).toEqual([]);
    await read(database, session, comment(6));
    expect(await places(database.rows, session)).toEqual(['comment 6 on #1']);
    const next = await propose(database.rows, session);
    expect(await places(database.rows, next)).toEqual(['comment 6 on #1']);
    await read(database, next, comment(5));
    expect(await places(database.rows, next)).toEqual(['comment 6 on #1']);
    const { marks, lifts } = await marksOf(database.rows, next.id);
    expect(marks).toHaveLength(2);
    expect(lifts).toMatchObject([{ lifted_by: 'ada', because: 'read', at: NOW + 5 }]);
  });
});
