/** Short functions for tests of the mailbox: send something to a conversation, lease it, read its rows. */
import { randomUUID } from 'node:crypto';
import type { Database, Rows } from '../../src/database/database.ts';
import type { ConversationRow, DispatchRow, MessageRow } from '../../src/database/tables.ts';
import { storeEvent } from '../../src/inbox/events.ts';
import { resolveConversation } from '../../src/mailbox/conversations.ts';
import {
  type CarriedRow,
  type Lease,
  type LeaseRequest,
  leaseConversation,
} from '../../src/mailbox/leases.ts';
import { appendMessage, type NewMessage } from '../../src/mailbox/messages.ts';
import type { EventItem, ForgeEvent } from '../../src/vocabulary.ts';
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

/** What is said is an event of its own, whatever was said before. */
export async function say(
  rows: Rows,
  conversation: ConversationRow,
  { event = commentEvent('hello'), ...partial }: Partial<NewMessage> & { event?: ForgeEvent } = {},
): Promise<{ dispatchId: string }> {
  const deliveryId = partial.deliveryId ?? randomUUID();
  return await appendMessage(rows, {
    conversation,
    deliveryId,
    eventId: (await storeEvent(rows, { event, source: 'replay', deliveryId })).id,
    flow: 'comments',
    skill: 'answer',
    parameters: {},
    priority: 50,
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

/** With the event that each points at, as JSON. */
export async function messagesWithEvents(rows: Rows): Promise<CarriedRow[]> {
  return await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .selectAll('m')
    .select('e.event')
    .$narrowType<{ event: string }>()
    .orderBy('m.seq')
    .execute();
}
