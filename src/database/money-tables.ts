/** The tables of what is held, and of what was spent and may be. See `tables.ts`. */
import type { Generated } from 'kysely';
import type { HoldKind, HoldSetter } from '../vocabulary.ts';

/** What may not run for now, and who said so. */
export interface HoldsTable {
  seq: Generated<number>;
  id: string;
  /** `all`, `credential:model`, `agent:dev`, `repository:<forge>/<id>` or `conversation:<id>` */
  scope: string;
  kind: HoldKind;
  /** the scope in words, as it was called when the hold was placed */
  label: string;
  reason: string;
  by_kind: HoldSetter;
  /** the person; null = a part of the service */
  by_name: string | null;
  at: number;
  /** null = until somebody lifts it */
  until: number | null;
  /** null = in force, or its end has come and was not noted yet */
  ended_at: number | null;
  /** null = its time was over */
  lifted_by: string | null;
}

/** A request to the model that was sent and has no row in the ledger yet, with the most that it may cost. */
export interface ModelReservationsTable {
  id: string;
  dispatch_id: string;
  conversation_id: string;
  agent: string;
  forge: string;
  repository_id: string;
  at: number;
  tokens: number;
  /** null = the model has no known price */
  micro_usd: number | null;
  /** `lost`: nobody knows what it has cost, and it counts at its most */
  state: 'open' | 'lost';
}

export interface BudgetRaisesTable {
  seq: Generated<number>;
  id: string;
  /** `conversation:<id>`, `repository:<forge>/<id>`, `agent:<name>`, `day` or `month` */
  budget: string;
  micro_usd: number;
  tokens: number;
  by_name: string;
  at: number;
  until: number | null;
}

/** Given once for each budget, unit and period. */
export interface BudgetWarningsTable {
  seq: Generated<number>;
  budget: string;
  label: string;
  unit: 'usd' | 'tokens';
  period_start: number;
  /** whose request it was at */
  conversation_id: string;
  /** millionths of a dollar, or tokens */
  spent: number;
  cap: number;
  at: number;
}

export interface ModelRequestsTable {
  seq: Generated<number>;
  dispatch_id: string;
  conversation_id: string;
  agent: string;
  at: number;
  /** as the request named it; null when it named none */
  model: string | null;
  /** HTTP status of upstream; null when it gave none */
  status: number | null;
  /** `cut`: the container or the gateway ended it before upstream did; `capped`: never sent */
  outcome: 'answered' | 'refused' | 'failed' | 'cut' | 'capped';
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  /** millionths of a US dollar; null when the price is not known */
  micro_usd: number | null;
  first_byte_ms: number | null;
  total_ms: number | null;
}
