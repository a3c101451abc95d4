/**
 * What reaches a conversation without a forge: somebody speaks to it by command, or a timer of it is due. Each is stored like
 * a delivery with its event, and its message is written in the same transaction. No flow is asked: the conversation itself
 * is addressed.
 */
import { randomUUID } from 'node:crypto';
import type { Rows } from './database/database.ts';
import type { ConversationRow } from './database/tables.ts';
import { NotFound } from './errors.ts';
import { acceptDelivery, settleDelivery } from './inbox.ts';
import { itemKeyOfConversation } from './item-key.ts';
import { appendMessage, OWN_SKILL } from './mailbox/messages.ts';
import { beginningOf, LONGEST_FOR_MENTIONS } from './text-limits.ts';
import type { EventName, ForgeEvent, OwnEvent } from './vocabulary.ts';

export interface Said {
  conversationId: string;
  text: string;
  /** who says it: a person's login on the forge, or how an operator calls himself. The caller has asked for permission */
  by: string;
  now: number;
}

export interface Delivered {
  deliveryId: string;
  dispatchId: string;
}

/**
 * Says something to a conversation; call it in a transaction. A run that is under way hears it at its next boundary,
 * otherwise a dispatch begins at once. Throws NotFound.
 */
export async function sayTo(tx: Rows, said: Said): Promise<Delivered> {
  return await tell(tx, { ...said, id: randomUUID(), name: 'person.said', source: 'said', flow: 'say' });
}

export interface DueTimer {
  id: string;
  conversationId: string;
  reason: string;
  now: number;
}

/** The id of the timer is the id of the delivery, so that one timer wakes once, whoever finds it due. */
export async function tellTimer(tx: Rows, { reason, ...timer }: DueTimer): Promise<Delivered> {
  return await tell(tx, {
    ...timer,
    text: reason,
    by: 'timer',
    name: 'timer.due',
    source: 'timer',
    flow: 'timer',
  });
}

interface Telling extends Said {
  id: string;
  name: Extract<EventName, 'person.said' | 'timer.due'>;
  source: 'said' | 'timer';
  flow: string;
}

async function tell(tx: Rows, telling: Telling): Promise<Delivered> {
  const { id, now, source, flow } = telling;
  const conversation = await tx
    .selectFrom('conversations')
    .selectAll()
    .where('id', '=', telling.conversationId)
    .executeTakeFirst();
  const last = await lastEvent(tx, conversation);
  if (conversation === undefined || last === null) {
    throw new NotFound(
      `There is no conversation ${telling.conversationId}, or nothing was ever said in it. \`claude-hooks conversations\` lists them.`,
    );
  }
  const event = ownEvent(last, telling);
  const accepted = await acceptDelivery(tx, {
    forge: conversation.forge,
    forgeDeliveryId: `${source}-${id}`,
    source,
    headers: {},
    body: new Uint8Array(),
    event,
    // Nobody signed it: it is our own word.
    scope: '*',
    now,
  });
  const eventId = await eventIdOf(tx, accepted.id);
  const { dispatchId } = await appendMessage(tx, {
    conversation,
    deliveryId: accepted.id,
    eventId,
    flow,
    skill: OWN_SKILL,
    parameters: {},
    priority: 50,
    now,
    quietMs: 0,
    maxWaitMs: 0,
  });
  const { item, sender, repository } = event;
  await settleDelivery(tx, {
    id: accepted.id,
    result: { state: 'routed' },
    eventName: event.name,
    eventId,
    decision: {
      considered: [],
      messages: [
        {
          agent: conversation.agent,
          flow,
          skill: OWN_SKILL,
          conversation: conversation.id,
          dispatch: dispatchId,
        },
      ],
      note: null,
      sender: null,
    },
    about: { repository: repository.fullName, item, sender: sender.login },
    now,
  });
  return { deliveryId: accepted.id, dispatchId };
}

async function eventIdOf(tx: Rows, deliveryId: string): Promise<string> {
  const { event_id } = await tx
    .selectFrom('deliveries')
    .select('event_id')
    .where('id', '=', deliveryId)
    .executeTakeFirstOrThrow();
  return event_id!;
}

/** The newest event on the conversation's own item, else the newest: what we know of the repository and the item. */
async function lastEvent(rows: Rows, conversation: ConversationRow | undefined): Promise<ForgeEvent | null> {
  if (conversation === undefined) return null;
  const stored = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select('e.event')
    .$narrowType<{ event: string }>()
    .where('m.conversation_id', '=', conversation.id)
    .orderBy('m.seq', 'desc')
    .limit(MOST_LOOKED_AT)
    .execute();
  const events = stored
    .map(({ event }) => JSON.parse(event) as ForgeEvent)
    .filter(({ item }) => item !== null);
  const { kind, number } = itemKeyOfConversation(conversation);
  return events.find(({ item }) => item!.kind === kind && item!.number === number) ?? events[0] ?? null;
}

const MOST_LOOKED_AT = 20;

function ownEvent(last: ForgeEvent, { id, name, text, by, now }: Telling): OwnEvent {
  return {
    ...last,
    name,
    sender: { id: 0, login: by },
    comment: null,
    review: null,
    ci: null,
    push: null,
    requestedReviewer: null,
    mentions: [],
    added: { assignees: [], labels: [] },
    occurredAt: new Date(now).toISOString(),
    semanticKey: `${last.repository.id}:${name}:${id}`,
    note: { text: beginningOf(text, LONGEST_FOR_MENTIONS), by },
  };
}
