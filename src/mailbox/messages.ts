/** Messages: what waits in a conversation's mailbox, and the dispatch that will carry it. */
import { randomUUID } from 'node:crypto';
import type { Database, Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { assertLease, type Lease } from './leases.ts';

export interface NewMessage {
  conversation: ConversationRow;
  deliveryId: string;
  flow: string;
  skill: string;
  parameters: Record<string, unknown>;
  priority: number;
  event: ForgeEvent;
  now: number;
  /** wait this long after the last message … */
  quietMs: number;
  /** … but not longer than this after the first */
  maxWaitMs: number;
}

/** Appends a message and makes sure that a dispatch will come for it. Answers the dispatch's id. */
export async function appendMessage(tx: Rows, message: NewMessage): Promise<{ dispatchId: string }> {
  await lockConversation(tx, message);
  await tx
    .insertInto('messages')
    .values({
      id: randomUUID(),
      conversation_id: message.conversation.id,
      delivery_id: message.deliveryId,
      flow: message.flow,
      skill: message.skill,
      parameters: JSON.stringify(message.parameters),
      priority: message.priority,
      event: JSON.stringify(message.event),
      state: 'waiting',
      created_at: message.now,
    })
    .execute();
  return { dispatchId: await ensureDispatch(tx, message) };
}

/**
 * Leasing, settling and rescuing write the conversation's row first, so they wait for us here and we for them. Without
 * it a message could count on a dispatch that a worker starts in the same moment, and would wait for ever.
 */
async function lockConversation(tx: Rows, message: NewMessage): Promise<void> {
  await tx
    .updateTable('conversations')
    .set({ updated_at: message.now })
    .where('id', '=', message.conversation.id)
    .execute();
}

async function ensureDispatch(tx: Rows, message: NewMessage): Promise<string> {
  const waiting = await tx
    .selectFrom('dispatches')
    .selectAll()
    .where('conversation_id', '=', message.conversation.id)
    .where('state', 'in', ['queued', 'parked', 'interrupted'])
    .executeTakeFirst();
  if (waiting === undefined) {
    const id = randomUUID();
    await tx
      .insertInto('dispatches')
      .values({
        id,
        conversation_id: message.conversation.id,
        agent: message.conversation.agent,
        state: 'queued',
        priority: message.priority,
        created_at: message.now,
        due_at: message.now + Math.min(message.quietMs, message.maxWaitMs),
        attempt: 0,
        carried: '[]',
      })
      .execute();
    return id;
  }
  // A parked or interrupted dispatch keeps its own time: a comment does not end a usage limit.
  const dueAt =
    waiting.state === 'queued'
      ? Math.max(
          waiting.due_at,
          Math.min(message.now + message.quietMs, waiting.created_at + message.maxWaitMs),
        )
      : waiting.due_at;
  await tx
    .updateTable('dispatches')
    .set({ due_at: dueAt, priority: Math.max(waiting.priority, message.priority) })
    .where('id', '=', waiting.id)
    .execute();
  return waiting.id;
}

export interface CommentPlace {
  forge: string;
  repositoryId: string;
  commentId: number;
}

/** Numbers of the items on which waiting messages say that this comment is. */
export async function itemsOfComment(rows: Rows, comment: CommentPlace): Promise<number[]> {
  const waiting = await waitingOfComment(rows, comment);
  return [...new Set(waiting.flatMap(({ event }) => (event.item === null ? [] : [event.item.number])))];
}

async function waitingOfComment(
  rows: Rows,
  comment: CommentPlace,
): Promise<{ id: string; event: ForgeEvent }[]> {
  const waiting = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .select(['m.id', 'm.event'])
    .where('c.forge', '=', comment.forge)
    .where('c.repository_id', '=', comment.repositoryId)
    .where('m.state', '=', 'waiting')
    .execute();
  return waiting
    .map(({ id, event }) => ({ id, event: JSON.parse(event) as ForgeEvent }))
    .filter(({ event }) => event.comment?.id === comment.commentId);
}

/** The author took a comment back before anybody acted on it: its waiting messages are declined. */
export async function declineMessagesOfComment(
  tx: Rows,
  comment: CommentPlace & { now: number },
): Promise<number> {
  const ids = (await waitingOfComment(tx, comment)).map((m) => m.id);
  if (ids.length === 0) return 0;
  const { numUpdatedRows } = await tx
    .updateTable('messages')
    .set({
      state: 'declined',
      reason: 'the comment was deleted before it was read',
      settled_at: comment.now,
    })
    .where('id', 'in', ids)
    // A worker may have taken it up since we looked.
    .where('state', '=', 'waiting')
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Messages of a running dispatch that it must not answer; the others stay with it. */
export async function declineCarried(
  database: Database,
  lease: Lease,
  declined: { messages: readonly { id: string; reason: string }[]; now: number },
): Promise<void> {
  await database.transaction(async (tx) => {
    await assertLease(tx, lease);
    for (const { id, reason } of declined.messages) {
      await tx
        .updateTable('messages')
        .set({ state: 'declined', reason, settled_at: declined.now })
        .where('id', '=', id)
        .where('dispatch_id', '=', lease.dispatch.id)
        .where('state', '=', 'carried')
        .execute();
    }
  });
}

/**
 * Whether the conversation knows of this failure: one run of CI may tell it several times, once for each job and once at
 * its end. What failed after the run that dealt with it had begun is another failure. A look has no time of its own,
 * and is for what was never told.
 */
export async function knowsFailure(
  rows: Rows,
  conversationId: string,
  { event, isLook }: { event: ForgeEvent; isLook: boolean },
): Promise<boolean> {
  const told = await rows
    .selectFrom('messages as m')
    .leftJoin('dispatches as d', 'd.id', 'm.dispatch_id')
    .select(['m.event', 'm.state', 'd.started_at'])
    .where('m.conversation_id', '=', conversationId)
    .where('m.state', 'in', ['waiting', 'carried', 'answered'])
    .execute();
  const at = Date.parse(event.occurredAt);
  return told.some(({ event: stored, state, started_at: began }) => {
    const other = JSON.parse(stored) as ForgeEvent;
    if (other.name !== event.name || other.ci?.headSha !== event.ci?.headSha) return false;
    // guard: ci: looked up, and told before
    return isLook || state !== 'answered' || at <= Number(began ?? 0);
  });
}
