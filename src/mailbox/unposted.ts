/** Answers that the forge refused. They are kept, and posted when a person asks for it. */
import type { Database, Rows } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';

/** The sentence about this state on the command line, in the log and in the answer of `explain`. */
export function unpostedSentence(dispatchId: string, refusal: string): string {
  return `the forge refused the answer: ${refusal.replace(/\.$/, '')}; it is kept, and \`claude-hooks answers post ${dispatchId}\` posts it once the forge takes it`;
}

/** Whether the conversation's newest answer could not be posted, so that nobody can read it. */
export async function lastIsUnposted(rows: Rows, conversationId: string): Promise<boolean> {
  const last = await rows
    .selectFrom('dispatches')
    .select('state')
    .where('conversation_id', '=', conversationId)
    .where('state', 'in', ['succeeded', 'unposted'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.state === 'unposted';
}

export async function isLastAnswered(
  rows: Rows,
  dispatch: Pick<DispatchRow, 'conversation_id' | 'seq'>,
): Promise<boolean> {
  const later = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('seq', '>', dispatch.seq)
    .where('state', 'in', ['succeeded', 'unposted'])
    .limit(1)
    .executeTakeFirst();
  return later === undefined;
}

export type PostedAgain =
  /** a worker posts it now */
  | { kind: 'waiting' }
  | { kind: 'not-unposted'; state: DispatchRow['state'] }
  /** another dispatch of the conversation waits already, and only one may */
  | { kind: 'busy'; dispatch: string };

/**
 * Puts the dispatch back with its messages. It has its answer, so that is published and nothing is run again. Effects
 * that the forge refused are tried again; effects that it took are not repeated.
 */
export async function postAgain(
  database: Database,
  { dispatchId, now }: { dispatchId: string; now: number },
): Promise<PostedAgain> {
  return await database.transaction(async (tx) => {
    const dispatch = await tx
      .selectFrom('dispatches')
      .select(['conversation_id', 'state'])
      .where('id', '=', dispatchId)
      .executeTakeFirstOrThrow();
    if (dispatch.state !== 'unposted') return { kind: 'not-unposted', state: dispatch.state };
    const other = await tx
      .selectFrom('dispatches')
      .select('id')
      .where('conversation_id', '=', dispatch.conversation_id)
      .where('state', 'in', ['queued', 'parked', 'interrupted'])
      .executeTakeFirst();
    if (other !== undefined) return { kind: 'busy', dispatch: other.id };
    await putBackUnposted(tx, { id: dispatchId, conversation_id: dispatch.conversation_id }, now);
    return { kind: 'waiting' };
  });
}

/** Call it in a transaction that has seen the dispatch unposted, and no other one of its conversation waiting. */
export async function putBackUnposted(
  tx: Rows,
  { id: dispatchId, conversation_id: conversationId }: Pick<DispatchRow, 'id' | 'conversation_id'>,
  now: number,
): Promise<void> {
  await tx
    .updateTable('dispatches')
    .set({ state: 'interrupted', reason: 'a person asked to post its answer', due_at: now, ended_at: now })
    .where('id', '=', dispatchId)
    .where('state', '=', 'unposted')
    .execute();
  await tx
    .updateTable('effects')
    // guard: truth: a refused answer can be posted
    .set({ state: 'planned', result: null, done_at: null })
    .where('dispatch_id', '=', dispatchId)
    .where('kind', 'in', ['push', 'pull', 'comment', 'review'])
    .where('state', '=', 'refused')
    .execute();
  await tx
    .updateTable('messages')
    .set({ state: 'waiting', dispatch_id: null, reason: null, settled_at: null })
    .where('conversation_id', '=', conversationId)
    .where('dispatch_id', '=', dispatchId)
    .where('state', '=', 'declined')
    .execute();
}
