/** Messages: what waits in a conversation's mailbox until a dispatch carries it. */
import { randomUUID } from 'node:crypto';
import { type ExpressionBuilder, sql } from 'kysely';
import type { Database, Rows } from '../database/database.ts';
import type { ConversationRow, Tables } from '../database/tables.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { assertLease, type Lease } from './leases.ts';

/**
 * The skill of a message that no forge tells. It is built in (`dispatch/converse/own-skill.ts`); the slash keeps a file of
 * an operator from having its name.
 */
export const OWN_SKILL = 'claude-hooks/note';

export interface NewMessage {
  conversation: Pick<ConversationRow, 'id' | 'agent'>;
  deliveryId: string;
  eventId: string;
  flow: string;
  skill: string;
  parameters: Record<string, unknown>;
  priority: number;
  now: number;
  /** wait this long after the last message … */
  quietMs: number;
  /** … but not longer than this after the first */
  maxWaitMs: number;
}

/** Appends a message and makes sure that a dispatch will take it up. Answers the dispatch's id. */
export async function appendMessage(tx: Rows, message: NewMessage): Promise<{ dispatchId: string }> {
  await lockConversation(tx, message);
  await tx
    .insertInto('messages')
    .values({
      id: randomUUID(),
      conversation_id: message.conversation.id,
      delivery_id: message.deliveryId,
      event_id: message.eventId,
      flow: message.flow,
      skill: message.skill,
      parameters: JSON.stringify(message.parameters),
      priority: message.priority,
      state: 'waiting',
      created_at: message.now,
    })
    .execute();
  return { dispatchId: await ensureDispatch(tx, message) };
}

/**
 * Leasing, settling and rescuing write the conversation's row first, so this write makes them wait for us, and us for
 * them. Without it a message could rely on a dispatch that a worker starts at the same moment, and would wait for ever.
 */
async function lockConversation(tx: Rows, message: NewMessage): Promise<void> {
  await tx
    .updateTable('conversations')
    .set({ updated_at: message.now })
    .where('id', '=', message.conversation.id)
    .execute();
}

/**
 * One statement, so that two writers cannot make two dispatches: the index allows one waiting dispatch for each
 * conversation.
 */
async function ensureDispatch(tx: Rows, message: NewMessage): Promise<string> {
  const { id } = await tx
    .insertInto('dispatches')
    .values({
      id: randomUUID(),
      conversation_id: message.conversation.id,
      agent: message.conversation.agent,
      state: 'queued',
      priority: message.priority,
      created_at: message.now,
      due_at: message.now + Math.min(message.quietMs, message.maxWaitMs),
      attempt: 0,
      carried: '[]',
    })
    .onConflict((c) =>
      c
        .column('conversation_id')
        // Spelled as in the index and without parameters, or PostgreSQL would not find the index.
        .where(sql<boolean>`state in ('queued', 'parked', 'interrupted')`)
        .doUpdateSet((e) => ({ due_at: laterDue(e, message), priority: morePressing(e, message) })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

type Waiting = ExpressionBuilder<Tables, 'dispatches'>;

/** A parked or interrupted dispatch keeps its time, because a comment does not end a usage limit. */
function laterDue(e: Waiting, { now, quietMs, maxWaitMs }: NewMessage) {
  const latest = e('dispatches.created_at', '+', maxWaitMs);
  const quiet = e.val(now + quietMs);
  const wanted = e.case().when(latest, '<', quiet).then(latest).else(quiet).end();
  return e
    .case()
    .when(e.and([e('dispatches.state', '=', 'queued'), e('dispatches.due_at', '<', wanted)]))
    .then(wanted)
    .else(e.ref('dispatches.due_at'))
    .end();
}

function morePressing(e: Waiting, { priority }: NewMessage) {
  return e
    .case()
    .when('dispatches.priority', '<', priority)
    .then(priority)
    .else(e.ref('dispatches.priority'))
    .end();
}

export interface CommentPlace {
  forge: string;
  repositoryId: string;
  commentId: number;
}

export interface WaitingMessage {
  id: string;
  /** number of the item that the comment is on, as the event says */
  number: number | null;
}

/** Waiting messages about a comment. */
export async function waitingOfComment(rows: Rows, comment: CommentPlace): Promise<WaitingMessage[]> {
  const waiting = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select(['m.id', 'e.event'])
    .$narrowType<{ event: string }>()
    .where('c.forge', '=', comment.forge)
    .where('c.repository_id', '=', comment.repositoryId)
    .where('m.state', '=', 'waiting')
    .execute();
  return waiting
    .map(({ id, event }) => ({ id, event: JSON.parse(event) as ForgeEvent }))
    .filter(({ event }) => event.comment?.id === comment.commentId)
    .map(({ id, event }) => ({ id, number: event.item?.number ?? null }));
}

/**
 * For a comment that its author deleted before anybody acted on it. Answers how many messages were declined.
 */
export async function declineWaiting(
  tx: Rows,
  { messages, now }: { messages: readonly WaitingMessage[]; now: number },
): Promise<number> {
  if (messages.length === 0) return 0;
  const { numUpdatedRows } = await tx
    .updateTable('messages')
    .set({ state: 'declined', reason: 'the comment was deleted before it was read', settled_at: now })
    .where(
      'id',
      'in',
      messages.map(({ id }) => id),
    )
    // A worker may have taken the message up since we looked.
    .where('state', '=', 'waiting')
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Declines messages that a running dispatch must not answer; the others stay with it. */
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
 * Those of these conversations that know of this failure already. One run of CI may report it several times, once for
 * each job and once at its end. A failure that came after the run which dealt with the first one had begun is a new
 * failure. A look has no time of its own; it is only for failures that nobody was told of.
 */
export async function conversationsToldOf(
  rows: Rows,
  { event, isLook, conversations }: { event: ForgeEvent; isLook: boolean; conversations: readonly string[] },
): Promise<string[]> {
  if (conversations.length === 0) return [];
  const told = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .leftJoin('dispatches as d', 'd.id', 'm.dispatch_id')
    .select(['m.conversation_id', 'e.event', 'm.state', 'd.started_at'])
    .$narrowType<{ event: string }>()
    .where('m.conversation_id', 'in', conversations)
    .where('m.state', 'in', ['waiting', 'carried', 'answered'])
    .execute();
  const at = Date.parse(event.occurredAt);
  const same = told.filter(({ event: stored, state, started_at: began }) => {
    const other = JSON.parse(stored) as ForgeEvent;
    if (other.name !== event.name || other.ci?.headSha !== event.ci?.headSha) return false;
    // guard: ci: looked up, and told before
    return isLook || state !== 'answered' || at <= Number(began ?? 0);
  });
  return [...new Set(same.map((m) => m.conversation_id))].sort();
}
