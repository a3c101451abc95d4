/**
 * The marks of a session: texts that it has read of people who may not wake agents. A mark belongs to the session and not
 * to a run, because the text stays in the history, whatever becomes of it on the forge. A session that follows another
 * takes its marks over. Only a person lifts marks, under a name, and only those that are there at that moment.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Database, Rows } from '../database/database.ts';
import type { SessionMarkLiftRow, SessionMarkRow } from '../database/tables.ts';

/** A text of somebody who may not wake agents. */
export interface Words {
  /** who wrote it, as the forge names them, or what is known of that */
  author: string;
  /** where it stands, as `comment 12 on #3`: with the text, its identity */
  place: string;
  text: string;
}

export interface NewMarks {
  session: { id: string; conversationId: string };
  dispatchId: string;
  /** what shows the words: `prompt`, or `tool <name>` */
  source: string;
  words: readonly Words[];
  now: number;
}

/** A flood of comments must not become one statement with more values than a database takes. */
const ROWS_AT_ONCE = 50;
const LONGEST_NAME = 200;

/** Call it, and let it commit, before the text is handed over. A text that is known already changes nothing. */
export async function markSession(tx: Rows, marks: NewMarks): Promise<void> {
  const { session, dispatchId, source, now } = marks;
  const values = marks.words.map(({ author, place, text }) => ({
    session_id: session.id,
    conversation_id: session.conversationId,
    author: author.slice(0, LONGEST_NAME),
    place: place.slice(0, LONGEST_NAME),
    // guard: marks: a lift counts for what was there
    digest: createHash('sha256').update(text).digest('hex'),
    source,
    dispatch_id: dispatchId,
    at: now,
    inherited_from: null,
    lift_id: null,
  }));
  for (let at = 0; at < values.length; at += ROWS_AT_ONCE) {
    await tx
      .insertInto('session_marks')
      .values(values.slice(at, at + ROWS_AT_ONCE))
      .onConflict((c) => c.columns(['session_id', 'author', 'place', 'digest']).doNothing())
      .execute();
  }
}

/** Copies the marks of `from` to `to`, which goes on with its history or its record. Lifted marks stay lifted. */
export async function inheritMarks(tx: Rows, from: string, to: string): Promise<void> {
  await tx
    .insertInto('session_marks')
    .columns([
      'session_id',
      'conversation_id',
      'author',
      'place',
      'digest',
      'source',
      'dispatch_id',
      'at',
      'inherited_from',
      'lift_id',
    ])
    .expression((e) =>
      e
        .selectFrom('session_marks')
        .select((s) => [
          s.val(to).as('session_id'),
          'conversation_id',
          'author',
          'place',
          'digest',
          'source',
          'dispatch_id',
          'at',
          s.fn.coalesce('inherited_from', 'session_id').as('inherited_from'),
          'lift_id',
        ])
        .where('session_id', '=', from)
        .orderBy('seq'),
    )
    .execute();
}

/** Marks that are not lifted, oldest first. */
export async function openMarks(rows: Rows, sessionId: string): Promise<SessionMarkRow[]> {
  return await rows
    .selectFrom('session_marks')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('lift_id', 'is', null)
    .orderBy('seq')
    .execute();
}

/** Why a session may only read, comment and work on its own branch, as a clause; null = it is not marked. */
export function restrictionBy(marks: readonly Pick<SessionMarkRow, 'author' | 'place'>[]): string | null {
  const [first] = marks;
  if (first === undefined) return null;
  const names = [...new Set(marks.map(({ author }) => author))];
  return `it has read text by ${listed(names)}, who may not wake agents here (first: ${first.place})`;
}

const MOST_NAMES = 5;

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

export interface Lift {
  sessionId: string;
  /** the person who answers for it */
  by: string;
  because: string;
  now: number;
}

/** Answers how many marks were lifted; 0 = none counted, and nothing is written. */
export async function liftMarks(database: Database, lift: Lift): Promise<number> {
  return await database.transaction(async (tx) => {
    const marks = await openMarks(tx, lift.sessionId);
    const [first] = marks;
    if (first === undefined) return 0;
    const id = randomUUID();
    await tx
      .insertInto('session_mark_lifts')
      .values({
        id,
        session_id: lift.sessionId,
        conversation_id: first.conversation_id,
        lifted_by: lift.by,
        because: lift.because,
        at: lift.now,
      })
      .execute();
    // Exactly the marks that were listed: a run may be reading further texts at this moment.
    const seqs = marks.map(({ seq }) => seq);
    for (let at = 0; at < seqs.length; at += ROWS_AT_ONCE) {
      await tx
        .updateTable('session_marks')
        .set({ lift_id: id })
        .where('seq', 'in', seqs.slice(at, at + ROWS_AT_ONCE))
        .execute();
    }
    return marks.length;
  });
}

/** Everything that is known of the marks of these sessions, oldest first. */
export async function marksOf(
  rows: Rows,
  ...sessionIds: string[]
): Promise<{ marks: SessionMarkRow[]; lifts: SessionMarkLiftRow[] }> {
  if (sessionIds.length === 0) return { marks: [], lifts: [] };
  const marks = await rows
    .selectFrom('session_marks')
    .selectAll()
    .where('session_id', 'in', sessionIds)
    .orderBy('seq')
    .execute();
  const ids = [...new Set(marks.flatMap(({ lift_id }) => (lift_id === null ? [] : [lift_id])))];
  if (ids.length === 0) return { marks, lifts: [] };
  const lifts = await rows
    .selectFrom('session_mark_lifts')
    .selectAll()
    .where('id', 'in', ids)
    .orderBy('seq')
    .execute();
  return { marks, lifts };
}
