/** Stored bytes and headers to an event, or to the result that ends the delivery. */
import type { ForgeConfig } from '../config/config.ts';
import { readDeliveryHeaders } from '../forges/delivery-headers.ts';
import type { ParseOutcome } from '../forges/kit.ts';
import { parseDelivery } from '../forges/parse-delivery.ts';
import { SMALL_BODY_BYTES } from '../inbox/pieces.ts';
import type { DeliveryResult } from '../inbox.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { type Pieces, readApart } from './read-apart.ts';

export interface StoredDelivery {
  forge: string;
  /** JSON */
  headers: string;
  /** empty where it is stored in pieces */
  body: Uint8Array;
  /** how many pieces it is stored in; null: none, `body` is all of it */
  pieces: number | null;
}

export type DeliveryReading = { event: ForgeEvent } | { result: DeliveryResult };

/**
 * A large body is read in another thread: 25 MB take a second, in which this one would answer nobody. `pieces` gives the
 * whole body, in order, and is asked only for that.
 */
export async function readDelivery(delivery: StoredDelivery, pieces: Pieces): Promise<DeliveryReading> {
  const read = readDeliveryHeaders(JSON.parse(delivery.headers) as Record<string, string>);
  if (read.kind !== 'ok') return { result: { state: 'failed', reason: read.reason } };
  const { forge } = delivery;
  const isSmall = delivery.pieces === null && delivery.body.length <= SMALL_BODY_BYTES;
  const outcome = isSmall
    ? parseDelivery(forge, read.headers, delivery.body)
    : await readApart({ forge, headers: read.headers }, pieces);
  return readingOf(outcome);
}

/** A payload that no request brought: `event` is what the forge would have called it, as in its fine header. */
export function readPayload(
  forge: Pick<ForgeConfig, 'name' | 'kind'>,
  event: string,
  body: Uint8Array,
): DeliveryReading {
  const { name, kind } = forge;
  return readingOf(parseDelivery(name, { kind, deliveryId: '', event, eventType: event }, body));
}

function readingOf(outcome: ParseOutcome): DeliveryReading {
  switch (outcome.kind) {
    case 'event':
      return { event: outcome.event };
    case 'ignored':
      return { result: { state: 'ignored', reason: outcome.reason } };
    case 'malformed':
      return { result: { state: 'failed', reason: outcome.error } };
  }
}
