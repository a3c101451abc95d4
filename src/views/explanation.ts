/** What `explainDelivery` answers. */
import type { EventSource } from '../database/intake-tables.ts';
import type { Considered } from '../flows/route.ts';
import type { DeliveryState, MessageState } from '../vocabulary.ts';
import type { DispatchView } from './dispatches.ts';
import type { HoldView } from './holds.ts';

/** All times RFC 3339 in UTC. */
export interface DeliveryExplanation {
  delivery: {
    id: string;
    forge: string;
    forgeDeliveryId: string;
    source: EventSource;
    /** the entry of `repositories` whose own secret signed it; null = the forge's secret, `*` = none, from a file */
    signedFor: string | null;
    receivedAt: string;
    decidedAt: string | null;
    state: DeliveryState;
    reason: string | null;
    duplicateOf: string | null;
    eventName: string | null;
    /** failed attempts to route it */
    attempts: number;
    /** null once it is decided */
    nextAttemptAt: string | null;
  };
  /** what the stored bytes mean when they are read again now; null when they mean nothing */
  event: EventSummary | null;
  /** one sentence for each agent, or one for the whole delivery when nobody was woken */
  answers: string[];
  /** every flow in order; empty when the delivery was decided before any flow was asked */
  considered: Considered[];
  note: string | null;
  /** what its pull request needed next, and the facts: lines; empty = no flow asked, or no agent opened it */
  pull: readonly string[];
  /** whether the sender may wake agents, and why; null when nobody wanted the event, or it was decided before */
  sender: { allowed: boolean; reason: string } | null;
  messages: MessageView[];
  /** later deliveries that were the same happening */
  duplicates: string[];
}

export interface EventSummary {
  sender: string;
  repository: string;
  /** `#12`, or null */
  item: string | null;
  title: string | null;
}

export interface MessageView {
  id: string;
  conversation: string;
  agent: string;
  /** `owner/name#12` of the conversation */
  item: string;
  /** what holds its conversation up now; holds of one model are in none, because the rows do not know an agent's model */
  holds: HoldView[];
  flow: string;
  skill: string;
  state: MessageState;
  reason: string | null;
  createdAt: string;
  settledAt: string | null;
  /** oldest first; the last one answers it, or will */
  dispatches: DispatchView[];
}
