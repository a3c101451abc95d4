/** The messages a dispatch carries, as its steps read them. */
import type { Lease } from '../../mailbox/leases.ts';
import { type ForgeEvent, isOwnEvent } from '../../vocabulary.ts';

export interface CarriedMessage {
  id: string;
  /** where it came from */
  deliveryId: string;
  event: ForgeEvent;
  with: Record<string, unknown>;
  flow: string;
  skill: string;
  priority: number;
  /** unix ms, by our clock */
  receivedAt: number;
}

export function readMessage(row: Lease['messages'][number]): CarriedMessage {
  return {
    id: row.id,
    deliveryId: row.delivery_id,
    event: JSON.parse(row.event) as ForgeEvent,
    with: JSON.parse(row.parameters) as Record<string, unknown>,
    flow: row.flow,
    skill: row.skill,
    priority: row.priority,
    receivedAt: row.created_at,
  };
}

/**
 * The message whose skill makes the prompt: the most urgent, of those the newest; null when there is none. One that no forge
 * tells leads only where there is no other: its words are added to every prompt.
 */
export function leadingOf(messages: CarriedMessage[]): CarriedMessage | null {
  const told = messages.filter(({ event }) => !isOwnEvent(event));
  return (told.length > 0 ? told : messages).toSorted((a, b) => a.priority - b.priority).at(-1) ?? null;
}
