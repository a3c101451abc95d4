/** The tables of decisions about pull requests. See `tables.ts`. */
import type { PullAct } from '../vocabulary.ts';

/** One row for each pull request of an agent: what was decided last. */
export interface PullDecisionsTable {
  forge: string;
  repository_id: string;
  number: number;
  /** `owner/name` */
  repository_name: string;
  /** name of the row of the table in `src/team/table.ts` */
  row: string;
  act: PullAct;
  /** JSON PullFacts */
  facts: string;
  /** whether CI has ever reported on one of its commits */
  has_ci: number;
  /** whether it is its turn to be rebased, until it is merged or somebody has to act */
  holds_turn: number;
  /** since when the forge says that it cannot be merged, at this head and base; null = it does not say so */
  unsure_since: number | null;
  is_open: number;
  decided_at: number;
}

/** Acts that were told to an agent: each is told once. */
export interface PullActsTable {
  forge: string;
  repository_id: string;
  number: number;
  agent: string;
  /** see `onceKey` */
  act_key: string;
  delivery_id: string;
  told_at: number;
}
