/**
 * Events as rows: what happened on a forge, stored once, with the key that tells one happening from another. Deliveries and
 * messages point at their event. `source` says by what we learned of it.
 *
 * A replay is the exception: an operator wants the event told again, so it has a row of its own, without the key.
 */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { EventSource } from '../database/intake-tables.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export interface LearnedEvent {
  event: ForgeEvent;
  source: EventSource;
  /** the delivery that told of it */
  deliveryId: string;
}

/** Stores an event. `isFirst`: false when its key was stored before; `id` is then that of the event stored first. */
export async function storeEvent(
  rows: Rows,
  { event, source, deliveryId }: LearnedEvent,
): Promise<{ id: string; isFirst: boolean }> {
  const id = randomUUID();
  const { numInsertedOrUpdatedRows } = await rows
    .insertInto('events')
    .values({
      id,
      forge: event.forge,
      semantic_key: source === 'replay' ? null : event.semanticKey,
      source,
      delivery_id: deliveryId,
      event: JSON.stringify(event),
    })
    // guard: semantic key, part 2
    .onConflict((c) => c.columns(['forge', 'semantic_key']).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return { id, isFirst: true };
  return { id: (await firstEvent(rows, event))!.id, isFirst: false };
}

/** Routing adds what only the rows know: which item a CI run belongs to, and which of the names are new. */
export async function completeEvent(tx: Rows, id: string, event: ForgeEvent): Promise<void> {
  await tx
    .updateTable('events')
    .set({ event: JSON.stringify(event) })
    .where('id', '=', id)
    .execute();
}

/** The event that was stored first under this key; undefined when there is none. */
export async function firstEvent(
  rows: Rows,
  { forge, semanticKey }: { forge: string; semanticKey: string },
): Promise<{ id: string; delivery_id: string } | undefined> {
  return await rows
    .selectFrom('events')
    .select(['id', 'delivery_id'])
    .where('forge', '=', forge)
    .where('semantic_key', '=', semanticKey)
    .executeTakeFirst();
}

/**
 * The event of a delivery as it is stored; null when the delivery has none, or was decided by a release that stored events
 * only with messages. The delivery's own bytes tell it then.
 */
export async function eventOf(rows: Rows, delivery: { event_id: string | null }): Promise<ForgeEvent | null> {
  if (delivery.event_id === null) return null;
  const { event } = await rows
    .selectFrom('events')
    .select('event')
    .where('id', '=', delivery.event_id)
    .executeTakeFirstOrThrow();
  return event === null ? null : (JSON.parse(event) as ForgeEvent);
}
