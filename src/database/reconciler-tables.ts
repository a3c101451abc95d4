/** The tables of the reconciler, of its rules, and of progress. See `tables.ts`. */

/** How far a repository was looked through. The row with an empty `repository_id` is the forge's own. */
export interface ReconcilerMarksTable {
  forge: string;
  repository_id: string;
  /** `owner/name` as last seen */
  repository_name: string;
  /** unix ms by the forge's clock: what changed before it is in `events` */
  mark: number;
  /** the same for the list of comments, which is asked for less often */
  comments_mark: number;
  /** unix ms by our clock */
  looked_at: number;
}

/**
 * What a reconciled event looks like without its exact time. A webhook that comes late may say another second, or an older
 * text, than the forge's history does; by its likeness it is found to be the same happening.
 */
export interface EventLikenessesTable {
  forge: string;
  likeness: string;
  /** unix ms by the forge's clock */
  at: number;
  event_id: string;
}

/** Something that no event tells, found by one of the rules. */
export interface RuleFindingsTable {
  rule: string;
  /** what it was found on; with the rule it is the key */
  subject: string;
  forge: string;
  repository_name: string;
  item_number: number;
  agent: string | null;
  conversation_id: string | null;
  why: string;
  remedy: string;
  found_at: number;
  seen_at: number;
  /** null = nothing was done about it yet */
  acted_at: number | null;
  did: string | null;
  /** null = it is still so */
  over_at: number | null;
}

/** Dispatches of a conversation in a row whose promised effect was not found. */
export interface ProgressTable {
  conversation_id: string;
  without: number;
  at: number;
  /** when a person was asked in the thread, about this row of failures; null = nobody was */
  asked_at: number | null;
}
