/** Conversations whose branch stands on that of another pull request. A row each, until that one is merged. */
import type { Rows } from '../database/database.ts';
import type { StackRow } from '../database/feedback-tables.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export type NewStack = Omit<StackRow, 'ended_at'>;

/** The newest parent counts; what had ended goes on with another one only. */
export async function keepStack(rows: Rows, stack: NewStack): Promise<void> {
  const { conversation_id: _, ...state } = stack;
  await rows
    .insertInto('stacks')
    .values({ ...stack, ended_at: null })
    .onConflict((c) =>
      c.column('conversation_id').doUpdateSet((e) => ({
        ...state,
        ended_at: e
          .case()
          .when('stacks.parent', '=', stack.parent)
          .then(e.ref('stacks.ended_at'))
          .else(null)
          .end(),
      })),
    )
    .execute();
}

export async function openStacks(rows: Rows): Promise<StackRow[]> {
  return await rows
    .selectFrom('stacks')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('look_at')
    .execute();
}

/** True when it was open until now. */
export async function endStack(tx: Rows, conversationId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('stacks')
    .set({ ended_at: now })
    .where('conversation_id', '=', conversationId)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function lookAtStackAgain(rows: Rows, stack: StackRow, lookAt: number): Promise<void> {
  await rows
    .updateTable('stacks')
    .set({ look_at: lookAt })
    .where('conversation_id', '=', stack.conversation_id)
    // What was told while we looked counts.
    .where('look_at', '=', stack.look_at)
    .execute();
}

/** What stands on the pull request of this event is looked at now. */
export async function wakeStacks(tx: Rows, event: ForgeEvent, now: number): Promise<void> {
  if (event.name !== 'pull.merged' || event.item === null) return;
  await tx
    .updateTable('stacks')
    .set({ look_at: now })
    .where('forge', '=', event.forge)
    .where('repository_id', '=', event.repository.id)
    // guard: stacks: only what stands on it
    .where('parent', '=', event.item.number)
    .where('ended_at', 'is', null)
    .execute();
}
