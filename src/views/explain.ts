/** "Why did it (not) run?": one delivery, what was decided about it and what came of that. */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow, MessageRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { eventOf } from '../inbox/events.ts';
import { piecesOf } from '../inbox/pieces.ts';
import { findDelivery } from '../inbox.ts';
import { currentHolds, holdsOf } from '../mailbox/holds.ts';
import { readDelivery } from '../router/read-delivery.ts';
import type { StoredDecision } from '../router/routing.ts';
import { oneLine } from '../terminal-text.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { answerDelivery } from './answer.ts';
import { dispatchRowsOfMessages, isOpen, type ShownDispatchRow, viewDispatches } from './dispatches.ts';
import type { DeliveryExplanation, EventSummary, MessageView } from './explanation.ts';
import { viewHold } from './holds.ts';
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
    pull: decision?.pull ?? [],
    // Deliveries from before senders were asked about have none.
    sender: decision?.sender ?? null,
    messages: await messagesOf(rows, row, { decision, now }),
    duplicates: await duplicatesOf(rows, row.id),
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
  // The service made this delivery itself, so there are no bytes.
  if (row.source !== 'webhook' && row.source !== 'replay') return null;
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
  { decision, now }: { decision: StoredDecision | null; now: number },
): Promise<MessageView[]> {
  const messages = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .select(['m.id', 'm.conversation_id', 'm.flow', 'm.skill', 'm.state', 'm.reason', 'm.dispatch_id'])
    .select(['m.created_at', 'm.settled_at', 'c.agent', 'c.forge', 'c.repository_id'])
    .select(['c.repository_name', 'c.item_number'])
    .where('m.delivery_id', '=', delivery.id)
    .orderBy('m.seq')
    .execute();
  const holds = await currentHolds(rows, now);
  const dispatches = await dispatchesOf(rows, messages, decision);
  const views = await viewDispatches(rows, [...new Set([...dispatches.values()].flat())]);
  const viewOf = new Map(views.map((view) => [view.id, view]));
  return messages.map((m) => ({
    id: m.id,
    conversation: m.conversation_id,
    agent: m.agent,
    item: `${m.repository_name}#${m.item_number}`,
    holds: holdsOf(holds, { ...m, id: m.conversation_id, model: null }).map(viewHold),
    flow: m.flow,
    skill: m.skill,
    state: m.state,
    reason: m.reason,
    createdAt: timeOf(m.created_at)!,
    settledAt: timeOf(m.settled_at),
    dispatches: (dispatches.get(m.id) ?? []).map(({ id }) => viewOf.get(id)!),
  }));
}

type Message = Pick<MessageRow, 'id' | 'conversation_id' | 'state' | 'dispatch_id'>;

/**
 * By message, oldest first: those that carried it, the one it was planned for, and while it waits the open ones of its
 * conversation, because a waiting message names none: the dispatch to come takes whatever waits when it starts.
 */
async function dispatchesOf(
  rows: Rows,
  messages: readonly Message[],
  decision: StoredDecision | null,
): Promise<Map<string, ShownDispatchRow[]>> {
  const plannedFor = (m: Message) =>
    decision?.messages.find((d) => d.conversation === m.conversation_id)?.dispatch ?? null;
  const found = await dispatchRowsOfMessages(rows, {
    conversations: messages.map((m) => m.conversation_id),
    messages: messages.map((m) => m.id),
    dispatches: messages.flatMap((m) => [m.dispatch_id, plannedFor(m)]).filter((id) => id !== null),
  });
  return new Map(
    messages.map((m) => [
      m.id,
      found.filter(
        (d) =>
          d.conversation_id === m.conversation_id &&
          (d.id === m.dispatch_id ||
            d.id === plannedFor(m) ||
            d.carried.includes(`"${m.id}"`) ||
            (m.state === 'waiting' && isOpen(d))),
      ),
    ]),
  );
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
