/**
 * Progress of a conversation: how many of its dispatches in a row have not left what their skill promised. One that did
 * ends the row. A dispatch that promised nothing changes nothing.
 */
import type { Rows } from '../database/database.ts';

/** In the transaction that settles the dispatch. Answers how many there are in a row by now. */
export async function noteProgress(
  tx: Rows,
  conversationId: string,
  made: boolean,
  now: number,
): Promise<{ without: number }> {
  const { without } = await tx
    .insertInto('progress')
    .values({ conversation_id: conversationId, without: made ? 0 : 1, at: now, asked_at: null })
    .onConflict((c) =>
      c.column('conversation_id').doUpdateSet((e) => ({
        without: made ? 0 : e('progress.without', '+', 1),
        at: now,
        ...(made ? { asked_at: null } : {}),
      })),
    )
    .returning('without')
    .executeTakeFirstOrThrow();
  return { without };
}

export async function progressOf(
  rows: Rows,
  conversationId: string,
): Promise<{ without: number; askedAt: number | null }> {
  const found = await rows
    .selectFrom('progress')
    .select(['without', 'asked_at'])
    .where('conversation_id', '=', conversationId)
    .executeTakeFirst();
  return { without: found?.without ?? 0, askedAt: found?.asked_at ?? null };
}

/** A person was asked about this row of dispatches; nobody is asked again before one of them makes progress. */
export async function noteAsked(tx: Rows, conversationId: string, now: number): Promise<void> {
  await tx
    .updateTable('progress')
    .set({ asked_at: now })
    .where('conversation_id', '=', conversationId)
    .where('asked_at', 'is', null)
    .execute();
}
