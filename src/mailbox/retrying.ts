/** `retry`: what waits for a time goes on now; what failed or was cancelled gets its messages back. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, DispatchRow } from '../database/tables.ts';
import { requeueWaiting } from './settlement.ts';
import { putBackUnposted } from './unposted.ts';

export type Retried = 'retried' | 'running' | 'nothing';

export async function retryWork(
  tx: Rows,
  { conversation, now }: { conversation: Pick<ConversationRow, 'id'>; now: number },
): Promise<Retried> {
  await tx.updateTable('conversations').set({ updated_at: now }).where('id', '=', conversation.id).execute();
  const open = await tx
    .selectFrom('dispatches')
    .select(['id', 'state'])
    .where('conversation_id', '=', conversation.id)
    .where('state', 'in', ['running', 'queued', 'parked', 'interrupted'])
    .execute();
  const waiting = open.find(({ state }) => state !== 'running');
  if (waiting !== undefined) {
    await tx.updateTable('dispatches').set({ due_at: now }).where('id', '=', waiting.id).execute();
    return 'retried';
  }
  if (open.length > 0) return 'running';
  const last = await lastEnded(tx, conversation.id);
  if (last === undefined) return 'nothing';
  if (last.state === 'unposted') {
    await putBackUnposted(tx, last, now);
    return 'retried';
  }
  if (last.state !== 'failed' && last.state !== 'cancelled') return 'nothing';
  const { numUpdatedRows } = await tx
    .updateTable('messages')
    .set({ state: 'waiting', dispatch_id: null, reason: null, settled_at: null })
    .where('conversation_id', '=', conversation.id)
    .where('dispatch_id', '=', last.id)
    .where('state', '=', 'declined')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return 'nothing';
  await requeueWaiting(tx, last, now);
  return 'retried';
}

/** One that was merged into another left no messages behind. */
async function lastEnded(tx: Rows, conversationId: string): Promise<DispatchRow | undefined> {
  return await tx
    .selectFrom('dispatches')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where((e) => e.or([e('reason', 'is', null), e('reason', 'not like', 'merged into dispatch %')]))
    .where('attached_by', 'is', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}
