/** Bytes and headers to an event, or to the verdict that ends the delivery. */
import { readDeliveryHeaders } from '../forge/delivery-headers.ts';
import { parseGiteaFamilyDelivery } from '../forge/gitea-family.ts';
import type { DeliveryVerdict } from '../inbox.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export type ReadDelivery = { event: ForgeEvent } | { verdict: DeliveryVerdict };

export async function readDelivery(delivery: {
  forge: string;
  headers: string;
  body: Uint8Array;
}): Promise<ReadDelivery> {
  const headers = readDeliveryHeaders(JSON.parse(delivery.headers) as Record<string, string>);
  if (headers.kind !== 'ok') return { verdict: { state: 'failed', reason: headers.reason } };
  const outcome = parseGiteaFamilyDelivery(delivery.forge, headers.headers, delivery.body);
  switch (outcome.kind) {
    case 'event':
      return { event: outcome.event };
    case 'ignored':
      return { verdict: { state: 'ignored', reason: outcome.reason } };
    case 'malformed':
      return { verdict: { state: 'failed', reason: outcome.error } };
  }
}
