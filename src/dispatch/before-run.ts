/** Before a run begins: whether what it depends on is closed, whether its conversation runs in a circle, and whether its budgets allow one. */
import type { Hold } from '../mailbox/holds.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { ParkCause } from '../vocabulary.ts';
import type { DispatchDeps } from './dispatch.ts';
import { type Finished, finishParked } from './settle/ending.ts';

/** null = it may begin. An answer that is there already is published: that costs nothing, and wakes nobody anew. */
export async function heldBeforeRun(
  lease: Lease,
  deps: Pick<DispatchDeps, 'court' | 'budgets' | 'dependencies' | 'now'>,
): Promise<Finished | null> {
  if (lease.previous?.answer != null) return null;
  // What an interruption has cut goes on: the court has let it begin.
  const isBegun = lease.previous?.prompt != null;
  const awaited = isBegun ? null : await deps.dependencies.startHeld(lease);
  if (awaited !== null) return parkedBy('dependency', awaited, deps.now());
  const judged = isBegun ? null : await deps.court.startHeld(lease);
  const hold = judged ?? (await deps.budgets.startHeld(lease.conversation));
  if (hold === null) return null;
  return parkedBy(judged === null ? 'budget' : 'court', hold, deps.now());
}

function parkedBy(cause: ParkCause, hold: Hold, now: number): Finished {
  return finishParked(cause, { reason: hold.reason, until: now, isAttempt: false, holdId: hold.id });
}
