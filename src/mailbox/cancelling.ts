/** `cancel`: a run in progress is told to stop, and what waits is not begun. The checkout and the session stay. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';

export interface Cancelling {
  conversation: Pick<ConversationRow, 'id'>;
  by: string;
  now: number;
}

export interface Cancelled {
  /** a run was told to stop; its worker looks at its row every second */
  stopped: boolean;
  /** a dispatch that waited is not begun */
  dropped: boolean;
}

export async function cancelWork(tx: Rows, { conversation, by, now }: Cancelling): Promise<Cancelled> {
  // Leasing and appending write this row first, so that nothing is begun or added while we look.
  await tx.updateTable('conversations').set({ updated_at: now }).where('id', '=', conversation.id).execute();
  const reason = `${by} cancelled it`;
  const running = await tx
    .updateTable('dispatches')
    .set({ stop_asked: reason })
    .where('conversation_id', '=', conversation.id)
    .where('state', '=', 'running')
    .executeTakeFirstOrThrow();
  const waiting = await tx
    .updateTable('dispatches')
    .set({ state: 'cancelled', reason, ended_at: now })
    .where('conversation_id', '=', conversation.id)
    .where('state', 'in', ['queued', 'parked', 'interrupted'])
    .returning('id')
    .executeTakeFirst();
  if (waiting !== undefined) {
    await tx
      .updateTable('messages')
      // With the dispatch's id, so that a retry finds them.
      .set({ state: 'declined', reason, settled_at: now, dispatch_id: waiting.id })
      .where('conversation_id', '=', conversation.id)
      .where('state', '=', 'waiting')
      .execute();
  }
  return { stopped: running.numUpdatedRows > 0n, dropped: waiting !== undefined };
}

/** Why the running dispatch should stop, as a clause for people; null = nobody asked. */
export async function stopAskedOf(rows: Rows, dispatchId: string): Promise<string | null> {
  const row = await rows
    .selectFrom('dispatches')
    .select('stop_asked')
    .where('id', '=', dispatchId)
    .executeTakeFirst();
  return row?.stop_asked ?? null;
}
