/**
 * The inbox: every webhook request as it arrived, and what was decided about it. What was learned without a request is
 * taken in here too: it has no headers, and its event is given instead of being read from a body.
 *
 * A delivery is durable before the forge gets its 202. Two unique keys decide what is a repetition: the forge's own
 * delivery id when a request arrives, and the event's semantic key when it is routed. Both are indexes, not look-ups:
 * one event has been seen to arrive five times within 4 ms.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Rows, serialise } from './database/database.ts';
import type { DialectName } from './database/dialect.ts';
import type { DeliveryRow } from './database/tables.ts';
import { Ambiguous } from './errors.ts';
import { storeEvent } from './inbox/events.ts';
import type { ItemInRepository } from './item-key.ts';
import type { ForgeEvent } from './vocabulary.ts';

export interface NewDelivery {
  forge: string;
  forgeDeliveryId: string;
  source: DeliveryRow['source'];
  /** whose secret signed it, as in `deliveries.signed_for`; left out, the forge's */
  scope?: string | null;
  /** none where no request brought it */
  headers: Record<string, string>;
  body: Uint8Array;
  /** what it tells, where that is known already: neither headers nor body are read then */
  event?: ForgeEvent | null;
  /** where the body stands in pieces: how many are stored under `id`, and `body` is empty */
  pieces?: number;
  id?: string;
  now: number;
  /** not decided before; left out, at once */
  dueAt?: number;
}

export type Acceptance =
  | { kind: 'accepted'; id: string }
  /** the forge sent this very delivery before; `id` is ours of the first time */
  | { kind: 'repeated'; id: string };

/** With an `event`, or with pieces, it is several statements: in a transaction then. */
export async function acceptDelivery(rows: Rows, delivery: NewDelivery): Promise<Acceptance> {
  const id = delivery.id ?? randomUUID();
  if (delivery.pieces !== undefined) await requirePieces(rows, id, delivery.pieces);
  const { event = null, source } = delivery;
  const stored = event === null ? null : await storeEvent(rows, { event, source, deliveryId: id });
  const { numInsertedOrUpdatedRows } = await rows
    .insertInto('deliveries')
    .values({
      id,
      forge: delivery.forge,
      forge_delivery_id: delivery.forgeDeliveryId,
      source: delivery.source,
      headers: JSON.stringify(delivery.headers),
      body: delivery.body,
      pieces: delivery.pieces ?? null,
      signed_for: delivery.scope ?? null,
      event_id: stored?.id ?? null,
      received_at: delivery.now,
      state: 'received',
      attempts: 0,
      next_attempt_at: delivery.dueAt ?? delivery.now,
    })
    // guard: delivery id, part 2
    .onConflict((c) => c.columns(['forge', 'forge_delivery_id']).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return { kind: 'accepted', id };
  return (await findRepeated(rows, delivery))!;
}

/** The delivery of that forge with that id, when it is there already. */
export async function findRepeated(
  rows: Rows,
  delivery: Pick<NewDelivery, 'forge' | 'forgeDeliveryId'>,
): Promise<Acceptance | null> {
  const first = await rows
    .selectFrom('deliveries')
    .select('id')
    .where('forge', '=', delivery.forge)
    .where('forge_delivery_id', '=', delivery.forgeDeliveryId)
    .executeTakeFirst();
  return first === undefined ? null : { kind: 'repeated', id: first.id };
}

/** In the transaction of the row: a body without one of its pieces must never be acknowledged. */
async function requirePieces(rows: Rows, id: string, pieces: number): Promise<void> {
  const { count } = await rows
    .selectFrom('delivery_pieces')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('delivery_id', '=', id)
    .executeTakeFirstOrThrow();
  // guard: bodies: all pieces or none
  if (Number(count) === pieces) return;
  throw new Error(`Of the ${pieces} pieces of delivery ${id} only ${count} are stored. Send it again.`);
}

const ROUTING_LOCK = 1;

/**
 * The oldest delivery that nobody has decided yet. The order is that of arrival, as far as it goes: one that could not
 * be routed is overtaken while it waits, so nothing may rest on the order alone.
 */
export async function nextDelivery(rows: Rows, now: number): Promise<DeliveryRow | undefined> {
  return await rows
    .selectFrom('deliveries')
    .selectAll()
    .where('state', '=', 'received')
    .where('next_attempt_at', '<=', now)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
}

/**
 * Holds routing until the transaction ends. Routing is serialised over all processes: two deliveries about one item read
 * and write its last seen state.
 */
export async function holdRouting(tx: Rows, dialect: DialectName): Promise<void> {
  await serialise(dialect, tx, ROUTING_LOCK);
}

/** Whether nobody has decided this delivery yet. */
export async function isUndecided(tx: Rows, id: string): Promise<boolean> {
  const found = await tx
    .selectFrom('deliveries')
    .select('id')
    .where('id', '=', id)
    .where('state', '=', 'received')
    .executeTakeFirst();
  return found !== undefined;
}

/** What was decided about a delivery. */
export type DeliveryResult =
  | { state: 'routed' }
  | { state: 'ignored'; reason: string }
  | { state: 'duplicate'; of: string }
  | { state: 'failed'; reason: string };

/** What a delivery is listed by. */
export interface DeliveryAbout {
  /** `owner/name` */
  repository: string;
  item: ItemInRepository | null;
  sender: string;
}

export interface DeliverySettlement {
  id: string;
  result: DeliveryResult;
  eventName: string | null;
  /** of what it tells; null = nothing, or nothing that is believed */
  eventId: string | null;
  /** stored as JSON; what `explain` prints */
  decision: unknown;
  /** null where its bytes told of nothing */
  about: DeliveryAbout | null;
  now: number;
}

export async function settleDelivery(tx: Rows, settlement: DeliverySettlement): Promise<void> {
  const { result } = settlement;
  await tx
    .updateTable('deliveries')
    .set({
      state: result.state,
      reason: 'reason' in result ? result.reason : null,
      duplicate_of: result.state === 'duplicate' ? result.of : null,
      event_name: settlement.eventName,
      event_id: settlement.eventId,
      decision: settlement.decision === null ? null : JSON.stringify(settlement.decision),
      decided_at: settlement.now,
      repository_name: settlement.about?.repository ?? null,
      item_number: settlement.about?.item?.number ?? null,
      item_kind: settlement.about?.item?.kind ?? null,
      sender_login: settlement.about?.sender ?? null,
    })
    .where('id', '=', settlement.id)
    .where('state', '=', 'received')
    .execute();
}

/** Seconds to wait after the n-th failed attempt to route a delivery; after the last one it is `failed`. */
const RETRY_SECONDS = [1, 5, 30, 120];

/**
 * Routing threw: try again later, or give up visibly. `patient`: never give up, because the fault is not the delivery's
 * (the forge is down), and it must not be lost to an outage that lasts a night.
 */
export async function postponeDelivery(
  rows: Rows,
  failure: { delivery: DeliveryRow; reason: string; now: number; patient?: boolean },
): Promise<'postponed' | 'failed'> {
  const attempts = failure.delivery.attempts + 1;
  const wait = RETRY_SECONDS[attempts - 1] ?? (failure.patient === true ? RETRY_SECONDS.at(-1) : undefined);
  await rows
    .updateTable('deliveries')
    .set(
      wait === undefined
        ? { state: 'failed', reason: failure.reason, attempts, decided_at: failure.now }
        : { reason: failure.reason, attempts, next_attempt_at: failure.now + wait * 1000 },
    )
    .where('id', '=', failure.delivery.id)
    .where('state', '=', 'received')
    .execute();
  return wait === undefined ? 'failed' : 'postponed';
}

/** More would not help anybody to choose. */
const MOST_FOUND = 20;

/** By our id, by the forge's id, or by the beginning of either (at least 6 characters): newest first. */
async function findDeliveries(rows: Rows, reference: string): Promise<DeliveryRow[]> {
  const query = rows.selectFrom('deliveries').selectAll().orderBy('seq', 'desc');
  const exact = await query
    .where((e) => e.or([e('id', '=', reference), e('forge_delivery_id', '=', reference)]))
    .executeTakeFirst();
  if (exact !== undefined) return [exact];
  if (reference.length < 6) return [];
  // Not LIKE: its wildcards and its letter case mean different things on the two databases.
  const begins = (column: 'id' | 'forge_delivery_id') =>
    sql<boolean>`substr(${sql.ref(column)}, 1, ${reference.length}) = ${reference}`;
  return await query
    .where((e) => e.or([begins('id'), begins('forge_delivery_id')]))
    .limit(MOST_FOUND)
    .execute();
}

/** As above, where one is meant. Throws Ambiguous when several begin so. */
export async function findDelivery(rows: Rows, reference: string): Promise<DeliveryRow | undefined> {
  const found = await findDeliveries(rows, reference);
  if (found.length < 2) return found[0];
  const candidates = found.map((d) => ({ id: d.id, is: `${d.event_name ?? 'no event'} from ${d.forge}` }));
  const each = candidates.map(({ id, is }) => `${id} (${is})`).join(', ');
  throw new Ambiguous(
    `${reference} begins the ids of ${found.length} deliveries: ${each}. Give more of the id.`,
    candidates,
  );
}
