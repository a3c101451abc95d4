/** Conversations that wait for other items to be closed. A row each, while it waits; the hold that goes with it keeps it. */
import type { Rows } from '../database/database.ts';
import type { DependencyWaitRow } from '../database/feedback-tables.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export interface AwaitedItem {
  /** `owner/name` */
  repository: string;
  number: number;
}

export interface NewWait {
  conversationId: string;
  agent: string;
  forge: string;
  repository: { id: string; fullName: string };
  number: number;
  awaited: readonly AwaitedItem[];
  /** it waits for itself, by way of others */
  isCycle: boolean;
  holdId: string;
  /** when it is looked at again although nothing was told, unix ms */
  lookAt: number;
  now: number;
}

export async function keepWait(tx: Rows, wait: NewWait): Promise<void> {
  const state = {
    repository_name: wait.repository.fullName,
    awaited: JSON.stringify(wait.awaited),
    cycle: wait.isCycle ? 1 : 0,
    hold_id: wait.holdId,
    look_at: wait.lookAt,
    ended_at: null,
  };
  await tx
    .insertInto('dependency_waits')
    .values({
      conversation_id: wait.conversationId,
      agent: wait.agent,
      forge: wait.forge,
      repository_id: wait.repository.id,
      number: wait.number,
      since: wait.now,
      ...state,
    })
    .onConflict((c) => c.column('conversation_id').doUpdateSet(state))
    .execute();
}

export async function findWait(rows: Rows, conversationId: string): Promise<DependencyWaitRow | undefined> {
  return await rows
    .selectFrom('dependency_waits')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .executeTakeFirst();
}

/** True when it waited until now. */
export async function endWait(tx: Rows, conversationId: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('dependency_waits')
    .set({ ended_at: now })
    .where('conversation_id', '=', conversationId)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function openWaits(rows: Rows): Promise<DependencyWaitRow[]> {
  return await rows
    .selectFrom('dependency_waits')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('look_at')
    .execute();
}

export async function lookAgainAt(rows: Rows, wait: DependencyWaitRow, lookAt: number): Promise<void> {
  await rows
    .updateTable('dependency_waits')
    .set({ look_at: lookAt })
    .where('conversation_id', '=', wait.conversation_id)
    // What was told while we looked counts.
    .where('look_at', '=', wait.look_at)
    .execute();
}

const CHANGES: ReadonlySet<string> = new Set([
  'issue.closed',
  'issue.reopened',
  'issue.edited',
  'pull.closed',
  'pull.merged',
  'pull.reopened',
  'pull.edited',
]);

/** Who waits for the item of this event, or is that item, is looked at now. Call it where the event is stored. */
export async function wakeWaits(tx: Rows, event: ForgeEvent, now: number): Promise<void> {
  if (event.item === null || !CHANGES.has(event.name)) return;
  const { forge, repository, item } = event;
  for (const wait of await openWaits(tx)) {
    if (wait.forge !== forge) continue;
    const isSelf = wait.repository_id === repository.id && wait.number === item.number;
    const awaited = JSON.parse(wait.awaited) as AwaitedItem[];
    const name = repository.fullName.toLowerCase();
    const isAwaited = awaited.some(
      (one) => one.number === item.number && one.repository.toLowerCase() === name,
    );
    // guard: dependencies: a closed blocker is noticed at once
    if (!isSelf && !isAwaited) continue;
    await tx
      .updateTable('dependency_waits')
      .set({ look_at: now })
      .where('conversation_id', '=', wait.conversation_id)
      .execute();
  }
}
