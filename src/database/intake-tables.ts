/** The tables of what came in: deliveries, their bytes, and their events. See `tables.ts`. */
import type { ColumnType, Generated } from 'kysely';
import type { DeliveryState, ItemKind } from '../vocabulary.ts';

export interface DeliveriesTable {
  /** order of acceptance */
  seq: Generated<number>;
  id: string;
  forge: string;
  /** the forge's own id, a UUID for each hook task: when the forge sends again, the id is a new one */
  forge_delivery_id: string;
  /** `look`: a question that the service asks itself, see `inbox/looks.ts` */
  source: EventSource;
  /** JSON object of the request headers we keep, in lower case; empty when there was no request */
  headers: string;
  /** empty when the body is stored in pieces */
  body: ColumnType<Uint8Array, Uint8Array, never>;
  /** how many rows of `delivery_pieces` hold the body; null = none, it is in `body` */
  pieces: number | null;
  /**
   * Whose secret signed it: null = the forge's, else the entry of `repositories` that has a secret of its own. `*` =
   * nobody's: the operator put the delivery in from a file, or the service itself did; it counts for every repository.
   */
  signed_for: string | null;
  received_at: number;
  state: ColumnType<DeliveryState, DeliveryState, DeliveryState>;
  reason: string | null;
  duplicate_of: string | null;
  event_name: string | null;
  /** the event it tells of; null = none, none that is believed, or the delivery was not read yet */
  event_id: string | null;
  /** JSON RouteDecision */
  decision: string | null;
  decided_at: number | null;
  attempts: number;
  next_attempt_at: number;
  /**
   * `owner/name` and item it is about, and who did it; null before the decision, or where the delivery names none
   */
  repository_name: Generated<string | null>;
  item_number: Generated<number | null>;
  /** null also where a release that did not keep kinds decided it and the event's name shows none */
  item_kind: Generated<ItemKind | null>;
  sender_login: Generated<string | null>;
}

/** Written before the delivery's row. Where that row is missing, the delivery was never acknowledged. */
export interface DeliveryPiecesTable {
  delivery_id: string;
  /** 0, 1, … */
  ordinal: number;
  stored_at: number;
  bytes: ColumnType<Uint8Array, Uint8Array, never>;
}

/**
 * How we learned of an event: by a webhook, by an operator's replay, by a look at the CI of a new pull request, by the
 * reconciler, which found it on the forge, from a person by command, or from a timer.
 */
export type EventSource = 'webhook' | 'replay' | 'look' | 'reconciled' | 'said' | 'timer';

export interface EventsTable {
  seq: Generated<number>;
  id: string;
  forge: string;
  /** unique for a forge; null = a replay, because an operator wants the event routed again */
  semantic_key: string | null;
  source: EventSource;
  /** what told of it first */
  delivery_id: string;
  /**
   * JSON ForgeEvent; null = routed by a release that kept it only with messages: read it from the delivery's bytes
   */
  event: string | null;
}

/**
 * The forge's own id of an act, and the delivery that woke an agent for it. Other deliveries about the same act wake
 * nobody.
 */
export interface EventProofsTable {
  forge: string;
  /** `<repository id>:<id of the act>` */
  proof: string;
  delivery_id: string;
}
