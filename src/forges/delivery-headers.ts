/** Which kind of forge sent a delivery, and what it calls it. */
import type { DeliveryHeaders } from './kit.ts';
import { FORGE_KINDS, kitOf } from './registry.ts';

export type DeliveryHeadersOutcome =
  | { kind: 'ok'; headers: DeliveryHeaders }
  /** no forge we know sends such a request */
  | { kind: 'unknown'; reason: string }
  /** a forge's request without its delivery id or event name */
  | { kind: 'incomplete'; reason: string };

interface NamedHeaders {
  kind: string;
  event: string;
  eventType: string | null;
  delivery: string;
}

/**
 * Forges that we recognise and do not serve, for an error that names them. They come after all kits; a kit for one of
 * them makes its line here meaningless.
 */
const STRANGERS: readonly NamedHeaders[] = [
  { kind: 'gitlab', event: 'X-Gitlab-Event', eventType: null, delivery: 'X-Gitlab-Event-UUID' },
  { kind: 'github', event: 'X-GitHub-Event', eventType: null, delivery: 'X-GitHub-Delivery' },
];

const SENDERS: readonly NamedHeaders[] = [
  ...FORGE_KINDS.map((kind) => ({ kind, ...kitOf(kind).headers })),
  ...STRANGERS,
];

/** A UUID has 36 characters; the rest is room for other senders. It becomes an index key. */
const LONGEST_DELIVERY_ID = 200;

type SentHeaders = Headers | Record<string, string | undefined>;

/** Reads the headers of one request; names may be in any case. */
export function readDeliveryHeaders(headers: SentHeaders): DeliveryHeadersOutcome {
  const get = lookup(headers);
  // Presence counts, not content: Forgejo's package event has an empty X-Forgejo-Event.
  const sender = SENDERS.find((candidate) => get(candidate.event) !== undefined);
  if (sender === undefined) {
    const names = SENDERS.map((candidate) => candidate.event).join(', ');
    return {
      kind: 'unknown',
      reason: `None of the headers ${names} is present. Point a forge's webhook at this address.`,
    };
  }
  const event = get(sender.event)!;
  const eventType = (sender.eventType === null ? '' : get(sender.eventType)) || event;
  if (eventType === '') {
    return incomplete(
      `${sender.event} is empty and ${sender.eventType ?? 'no other header'} names no event.`,
    );
  }
  const deliveryId = get(sender.delivery) ?? '';
  if (deliveryId === '') return incomplete(`The header ${sender.delivery} is missing or empty.`);
  if (deliveryId.length > LONGEST_DELIVERY_ID) {
    return incomplete(`${sender.delivery} is longer than ${LONGEST_DELIVERY_ID} characters.`);
  }
  return { kind: 'ok', headers: { kind: sender.kind, deliveryId, event, eventType } };
}

function lookup(headers: SentHeaders): (name: string) => string | undefined {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value?.trim()]));
  return (name) => byName.get(name.toLowerCase());
}

function incomplete(problem: string): DeliveryHeadersOutcome {
  return { kind: 'incomplete', reason: `${problem} Check that no proxy removes the forge's X- headers.` };
}

/** What a request calls itself, also where its other headers are not in order. Nobody has vouched for it. */
export function claimedDeliveryId(headers: Headers): string | null {
  for (const kind of FORGE_KINDS) {
    const id = headers.get(kitOf(kind).headers.delivery);
    if (id !== null) return id;
  }
  return null;
}
