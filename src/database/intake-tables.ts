/** The tables of what came in: deliveries, their bytes, and the events that they tell of. See `tables.ts`. */
import type { ColumnType, Generated } from 'kysely';
import type { DeliveryState, ItemKind } from '../vocabulary.ts';

export interface DeliveriesTable {
  /** order of acceptance */
  seq: Generated<number>;
  id: string;
  forge: string;
  /** the forge's own id, a UUID per hook task: a replay has a new one */
  forge_delivery_id: string;
  /** `look`: the service asks itself, see `inbox/looks.ts` */
  source: EventSource;
  /** JSON object of the request headers we keep, lower case; empty when no request brought it */
  headers: string;
  /** empty when it stands in pieces */
  body: ColumnType<Uint8Array, Uint8Array, never>;
  /** how many `delivery_pieces` it is in; null = none, the body stands here */
  pieces: number | null;
  /**
   * Whose secret signed it: null = the forge's, else the entry of `repositories` that has one of its own. `*` = nobody's:
   * the operator put it in from a file, or the service itself did, which counts for every repository.
   */
  signed_for: string | null;
  received_at: number;
  state: ColumnType<DeliveryState, DeliveryState, DeliveryState>;
  reason: string | null;
  duplicate_of: string | null;
  event_name: string | null;
  /** what it tells; null = nothing, nothing that is believed, or it was not read yet */
  event_id: string | null;
  /** JSON RouteDecision */
  decision: string | null;
  decided_at: number | null;
  attempts: number;
  next_attempt_at: number;
  /** `owner/name` and item it is about, and who did it; null before it was decided, or where it told of none */
  repository_name: Generated<string | null>;
  item_number: Generated<number | null>;
  /** null also where a release before kinds were kept decided it, and the event's name says none */
  item_kind: Generated<ItemKind | null>;
  sender_login: Generated<string | null>;
}

/** Written before the delivery's row. Without that row, nobody acknowledged it. */
export interface DeliveryPiecesTable {
  delivery_id: string;
  /** 0, 1, … */
  ordinal: number;
  stored_at: number;
  bytes: ColumnType<Uint8Array, Uint8Array, never>;
}

/** By what we learned of an event: a webhook, an operator's replay, a look of our own. */
export type EventSource = 'webhook' | 'replay' | 'look';

export interface EventsTable {
  seq: Generated<number>;
  id: string;
  forge: string;
  /** unique for a forge; null = a replay, which an operator wants told again */
  semantic_key: string | null;
  source: EventSource;
  /** what told of it first */
  delivery_id: string;
  /** JSON ForgeEvent; null = routed by a release that kept it only with messages: the delivery's bytes tell it */
  event: string | null;
}

/** The forge's own id of an act, and the delivery that woke an agent for it. What else tells of that act wakes nobody. */
export interface EventProofsTable {
  forge: string;
  /** `<repository id>:<id of the act>` */
  proof: string;
  delivery_id: string;
}
