/** Who sent a delivery and what it is called: the webhook headers of every forge, whatever their prefix. */
import type { DeliveryHeaders } from './forge.ts';

export type DeliveryHeadersOutcome =
  | { kind: 'ok'; headers: DeliveryHeaders }
  /** no forge we know sends such a request */
  | { kind: 'unknown'; reason: string }
  /** a forge's request without its delivery id or event name */
  | { kind: 'incomplete'; reason: string };

interface HeaderNames {
  kind: DeliveryHeaders['kind'];
  event: string;
  eventType: string | null;
  delivery: string;
}

/**
 * Asked in this order: Forgejo sends X-Gitea-* and X-GitHub-* beside its own headers, and Gitea sends X-GitHub-* too.
 */
const FORGES: readonly HeaderNames[] = [
  {
    kind: 'forgejo',
    event: 'X-Forgejo-Event',
    eventType: 'X-Forgejo-Event-Type',
    delivery: 'X-Forgejo-Delivery',
  },
  { kind: 'gitea', event: 'X-Gitea-Event', eventType: 'X-Gitea-Event-Type', delivery: 'X-Gitea-Delivery' },
  { kind: 'gitlab', event: 'X-Gitlab-Event', eventType: null, delivery: 'X-Gitlab-Event-UUID' },
  { kind: 'github', event: 'X-GitHub-Event', eventType: null, delivery: 'X-GitHub-Delivery' },
];

/** A UUID has 36 characters; the rest is room for other senders. It becomes an index key. */
const LONGEST_DELIVERY_ID = 200;

/** Reads the headers of one request; names may be in any case. */
export function readDeliveryHeaders(
  headers: Headers | Record<string, string | undefined>,
): DeliveryHeadersOutcome {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value?.trim()]));
  const get = (name: string): string | undefined => byName.get(name.toLowerCase());
  // Presence counts, not content: Forgejo's package event has an empty X-Forgejo-Event.
  const forge = FORGES.find((candidate) => get(candidate.event) !== undefined);
  if (forge === undefined) {
    const names = FORGES.map((candidate) => candidate.event).join(', ');
    return {
      kind: 'unknown',
      reason: `None of the headers ${names} is present. Point a forge's webhook at this address.`,
    };
  }
  const event = get(forge.event)!;
  const eventType = (forge.eventType === null ? '' : get(forge.eventType)) || event;
  if (eventType === '') {
    return incomplete(`${forge.event} is empty and ${forge.eventType ?? 'no other header'} names no event.`);
  }
  const deliveryId = get(forge.delivery) ?? '';
  if (deliveryId === '') return incomplete(`The header ${forge.delivery} is missing or empty.`);
  if (deliveryId.length > LONGEST_DELIVERY_ID) {
    return incomplete(`${forge.delivery} is longer than ${LONGEST_DELIVERY_ID} characters.`);
  }
  return { kind: 'ok', headers: { kind: forge.kind, deliveryId, event, eventType } };
}

function incomplete(problem: string): DeliveryHeadersOutcome {
  return { kind: 'incomplete', reason: `${problem} Check that no proxy removes the forge's X- headers.` };
}
