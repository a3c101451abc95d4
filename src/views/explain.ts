/** "Why did it (not) run?": one delivery, what was decided about it and what came of that. */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { eventOf } from '../inbox/events.ts';
import { piecesOf } from '../inbox/pieces.ts';
import { findDelivery } from '../inbox.ts';
import { currentParks } from '../mailbox/parks.ts';
import { readDelivery } from '../router/read-delivery.ts';
import type { StoredDecision } from '../router/routing.ts';
import { oneLine } from '../terminal-text.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { answerDelivery } from './answer.ts';
import { dispatchRowsOfMessage, viewDispatches } from './dispatches.ts';
import type { DeliveryExplanation, EventSummary, MessageView } from './explanation.ts';
import { storedJson, timeOf } from './stored.ts';

/** By our id, the forge's id, or the beginning of either. Throws NotFound where there is none, Ambiguous where several are. */
export async function explainDelivery(
  rows: Rows,
  reference: string,
  now: number = Date.now(),
): Promise<DeliveryExplanation> {
  const row = await findDelivery(rows, reference);
  if (row !== undefined) return await explainRow(rows, row, now);
  throw new NotFound(
    `No delivery has the id ${oneLine(reference)}. Give our id from the log, or the forge's delivery id from the webhook's ` +
      'page there; a beginning of 6 characters or more is enough while it is unambiguous.',
  );
}

/** One delivery whole, with every flow that was asked. */
export async function explainRow(
  rows: Rows,
  row: DeliveryRow,
  now: number = Date.now(),
): Promise<DeliveryExplanation> {
  const decision = storedJson(row.decision) as StoredDecision | null;
  const explanation = {
    delivery: viewDelivery(row),
    event: await summarise(rows, row),
    considered: decision?.considered ?? [],
    note: decision?.note ?? null,
    // Deliveries from before senders were asked about have none.
    sender: decision?.sender ?? null,
    messages: await messagesOf(rows, row, decision),
    duplicates: await duplicatesOf(rows, row.id),
    parks: (await currentParks(rows, now)).map((p) => ({
      credential: p.credential,
      until: timeOf(p.until)!,
      why: p.why,
    })),
  };
  return { ...explanation, answers: answerDelivery(explanation, now) };
}

function viewDelivery(row: DeliveryRow): DeliveryExplanation['delivery'] {
  return {
    id: row.id,
    forge: row.forge,
    forgeDeliveryId: row.forge_delivery_id,
    source: row.source,
    signedFor: row.signed_for,
    receivedAt: timeOf(row.received_at)!,
    decidedAt: timeOf(row.decided_at),
    state: row.state,
    reason: row.reason,
    duplicateOf: row.duplicate_of,
    eventName: row.event_name,
    attempts: row.attempts,
    nextAttemptAt: row.state === 'received' ? timeOf(row.next_attempt_at) : null,
  };
}

async function summarise(rows: Rows, row: DeliveryRow): Promise<EventSummary | null> {
  const event = (await eventOf(rows, row)) ?? (await readStored(rows, row));
  if (event === null) return null;
  return {
    sender: event.sender.login,
    repository: event.repository.fullName,
    item: event.item === null ? null : `#${event.item.number}`,
    title: event.item?.title ?? null,
  };
}

/**
 * Of a delivery whose event is not stored: it is not believed, not decided, or was decided by an earlier release. Stored
 * bytes can be anything, also headers that are no JSON: the rest of the explanation stands without them.
 */
async function readStored(rows: Rows, row: DeliveryRow): Promise<ForgeEvent | null> {
  // It has no bytes: the service asked itself.
  if (row.source === 'look') return null;
  try {
    const read = await readDelivery(row, piecesOf(rows, row));
    return 'event' in read ? read.event : null;
  } catch {
    return null;
  }
}

async function messagesOf(
  rows: Rows,
  delivery: DeliveryRow,
  decision: StoredDecision | null,
): Promise<MessageView[]> {
  const messages = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .select(['m.id', 'm.conversation_id', 'm.flow', 'm.skill', 'm.state', 'm.reason', 'm.dispatch_id'])
    .select(['m.created_at', 'm.settled_at', 'c.agent', 'c.repository_name', 'c.item_number'])
    .where('m.delivery_id', '=', delivery.id)
    .orderBy('m.seq')
    .execute();
  const views: MessageView[] = [];
  for (const m of messages) {
    const planned = decision?.messages.find((d) => d.conversation === m.conversation_id)?.dispatch;
    const open = m.state === 'waiting' ? await openDispatches(rows, m.conversation_id) : [];
    const dispatches = [m.dispatch_id, planned ?? null, ...open].filter((id) => id !== null);
    views.push({
      id: m.id,
      conversation: m.conversation_id,
      agent: m.agent,
      item: `${m.repository_name}#${m.item_number}`,
      flow: m.flow,
      skill: m.skill,
      state: m.state,
      reason: m.reason,
      createdAt: timeOf(m.created_at)!,
      settledAt: timeOf(m.settled_at),
      dispatches: await viewDispatches(
        rows,
        await dispatchRowsOfMessage(rows, { message: m.id, dispatches }),
      ),
    });
  }
  return views;
}

/** A waiting message names no dispatch: the one to come takes whatever waits when it starts, after the one that runs. */
async function openDispatches(rows: Rows, conversationId: string): Promise<string[]> {
  const open = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('state', 'in', ['running', 'queued', 'parked', 'interrupted'])
    .execute();
  return open.map((d) => d.id);
}

async function duplicatesOf(rows: Rows, id: string): Promise<string[]> {
  const found = await rows
    .selectFrom('deliveries')
    .select('id')
    .where('duplicate_of', '=', id)
    .orderBy('seq')
    .execute();
  return found.map((d) => d.id);
}
