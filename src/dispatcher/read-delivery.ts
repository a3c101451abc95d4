/** Stored bytes and headers to an event, or to the verdict that ends the delivery. */
import { readDeliveryHeaders } from '../forge/delivery-headers.ts';
import type { ParseOutcome } from '../forge/forge.ts';
import { parseGiteaFamilyDelivery } from '../forge/gitea-family.ts';
import { SMALL_BODY_BYTES, sizeOf } from '../inbox/pieces.ts';
import type { DeliveryVerdict } from '../inbox.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { readApart } from './read-apart.ts';

export interface StoredDelivery {
  forge: string;
  /** JSON */
  headers: string;
  /** whole, or in pieces (`piecesOf`) */
  body: Uint8Array | readonly Uint8Array[];
}

export type DeliveryReading = { event: ForgeEvent } | { verdict: DeliveryVerdict };

/** A large body is read in another thread: 25 MB take a second, in which this one would answer nobody. */
export async function readDelivery(delivery: StoredDelivery): Promise<DeliveryReading> {
  const read = readDeliveryHeaders(JSON.parse(delivery.headers) as Record<string, string>);
  if (read.kind !== 'ok') return { verdict: { state: 'failed', reason: read.reason } };
  const { forge } = delivery;
  const pieces = delivery.body instanceof Uint8Array ? [delivery.body] : delivery.body;
  const outcome =
    sizeOf(pieces) <= SMALL_BODY_BYTES
      ? parseGiteaFamilyDelivery(forge, read.headers, Buffer.concat(pieces))
      : await readApart({ forge, headers: read.headers, pieces });
  return readingOf(outcome);
}

function readingOf(outcome: ParseOutcome): DeliveryReading {
  switch (outcome.kind) {
    case 'event':
      return { event: outcome.event };
    case 'ignored':
      return { verdict: { state: 'ignored', reason: outcome.reason } };
    case 'malformed':
      return { verdict: { state: 'failed', reason: outcome.error } };
  }
}
