/** Before a run begins: whether its conversation runs in a circle, and whether its budgets allow one. */
import type { Lease } from '../mailbox/leases.ts';
import type { DispatchDeps } from './dispatch.ts';
import { type Finished, finishParked } from './settle/ending.ts';

/** null = it may begin. An answer that is there already is published: that costs nothing, and wakes nobody anew. */
export async function heldBeforeRun(
  lease: Lease,
  deps: Pick<DispatchDeps, 'court' | 'budgets' | 'now'>,
): Promise<Finished | null> {
  if (lease.previous?.answer != null) return null;
  // What an interruption has cut goes on: the court has let it begin.
  const isBegun = lease.previous?.prompt != null;
  const judged = isBegun ? null : await deps.court.startHeld(lease);
  const hold = judged ?? (await deps.budgets.startHeld(lease.conversation));
  if (hold === null) return null;
  const cause = judged === null ? 'budget' : 'court';
  return finishParked(cause, { reason: hold.reason, until: deps.now(), isAttempt: false, holdId: hold.id });
}
