/** Holds in force, as JSON. */
import type { Rows } from '../database/database.ts';
import { currentHolds, type Hold } from '../mailbox/holds.ts';
import type { HoldKind, HoldSetter } from '../vocabulary.ts';
import { timeOf } from './stored.ts';

/** All times RFC 3339 in UTC. */
export interface HoldView {
  id: string;
  kind: HoldKind;
  /** the scope in words */
  holds: string;
  reason: string;
  by: { kind: HoldSetter; name: string | null };
  since: string;
  /** null = until somebody lifts it */
  until: string | null;
}

export function viewHold(hold: Hold): HoldView {
  return {
    id: hold.id,
    kind: hold.kind,
    holds: hold.label,
    reason: hold.reason,
    by: { kind: hold.by_kind, name: hold.by_name },
    since: timeOf(hold.at)!,
    until: timeOf(hold.until),
  };
}

/** Oldest first. */
export async function listHolds(rows: Rows, now: number): Promise<HoldView[]> {
  return (await currentHolds(rows, now)).map(viewHold);
}
