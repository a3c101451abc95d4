/** Short words for tests of the mailbox: say something to a conversation, lease it, look at its rows. */
import { randomUUID } from 'node:crypto';
import type { Database, Rows } from '../../src/database/database.ts';
import type { ConversationRow, DispatchRow, MessageRow } from '../../src/database/tables.ts';
import { resolveConversation } from '../../src/mailbox/conversations.ts';
import { type Lease, type LeaseRequest, leaseConversation } from '../../src/mailbox/leases.ts';
import { appendMessage, type NewMessage } from '../../src/mailbox/messages.ts';
import type { EventItem } from '../../src/vocabulary.ts';
import { commentEvent } from './sample-events.ts';

export const NOW = 1_000_000;
export const LEASE_MS = 30_000;

export interface WhichConversation {
  number?: number;
  agent?: string;
  repositoryId?: string;
  item?: Partial<EventItem>;
}

export async function conversationOn(rows: Rows, which: WhichConversation = {}): Promise<ConversationRow> {
  const { number = 12, agent = 'dev', repositoryId = '3', item = {} } = which;
  return await resolveConversation(rows, {
    forge: 'home',
    repository: { id: repositoryId, fullName: 'team/shop' },
    agent,
    item: { ...commentEvent('hello').item!, number, ...item },
    mayJoin: true,
    now: NOW,
  });
}

export async function say(
  rows: Rows,
  conversation: ConversationRow,
  partial: Partial<NewMessage> = {},
): Promise<{ dispatchId: string }> {
  return await appendMessage(rows, {
    conversation,
    deliveryId: randomUUID(),
    flow: 'comments',
    skill: 'answer',
    parameters: {},
    priority: 50,
    event: commentEvent('hello'),
    now: NOW,
    quietMs: 0,
    maxWaitMs: 0,
    ...partial,
  });
}

/** A conversation on this item with one message that may be run at once. */
export async function waitingOn(rows: Rows, which: WhichConversation = {}): Promise<ConversationRow> {
  const conversation = await conversationOn(rows, which);
  await say(rows, conversation);
  return conversation;
}

export async function tryLease(
  database: Database,
  partial: Partial<LeaseRequest> = {},
): Promise<Lease | null> {
  return await leaseConversation(database, {
    worker: 'worker-1',
    now: NOW,
    leaseMs: LEASE_MS,
    agentLimits: new Map([
      ['dev', 100],
      ['review', 100],
    ]),
    ...partial,
  });
}

export async function lease(database: Database, partial: Partial<LeaseRequest> = {}): Promise<Lease> {
  const leased = await tryLease(database, partial);
  if (leased === null) throw new Error('nothing could be leased');
  return leased;
}

export async function dispatchesIn(rows: Rows): Promise<DispatchRow[]> {
  return await rows.selectFrom('dispatches').selectAll().orderBy('seq').execute();
}

export async function dispatchOf(rows: Rows, id: string): Promise<DispatchRow> {
  return await rows.selectFrom('dispatches').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

export async function messagesIn(rows: Rows): Promise<MessageRow[]> {
  return await rows.selectFrom('messages').selectAll().orderBy('seq').execute();
}
