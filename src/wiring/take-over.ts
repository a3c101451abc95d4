import type { DispatchDeps } from '../dispatch/dispatch.ts';
import { endLeftTerminals } from '../dispatch/left-terminals.ts';
import { rescueExpired } from '../mailbox/settlement.ts';
import type { Foundation } from './foundation.ts';

/** What an earlier service left: its processes are ended first, then its dispatches are put back. Answers their ids. */
export async function takeOver(foundation: Foundation, deps: DispatchDeps): Promise<string[]> {
  const { runner } = deps;
  // guard: orphan reaping (whole service)
  const orphans = await runner.engine.reapOrphans(runner.instance);
  if (orphans.length > 0)
    foundation.log.warn('ended processes of an earlier service', { dispatches: orphans });
  await endLeftTerminals(deps);
  await deps.layers.recover();
  // We hold the lock of this state folder, so every earlier worker of it is dead, whatever its leases say.
  const dead = await workersOfThisFolder(foundation, runner.instance);
  const rescued = await rescueExpired(foundation.database, {
    now: deps.now(),
    deadWorkers: dead,
    reason: 'the service stopped while it ran',
  });
  if (rescued.length > 0)
    foundation.log.warn('dispatches were interrupted and wait again', { dispatches: rescued });
  return rescued;
}

/** By the beginning of their ids. Workers of other state folders may be alive; their leases decide. */
async function workersOfThisFolder(foundation: Foundation, instance: string): Promise<string[]> {
  const rows = await foundation.database.rows
    .selectFrom('dispatches')
    .select('worker')
    .distinct()
    .where('state', '=', 'running')
    .where('attached_by', 'is', null)
    .execute();
  return rows.map((r) => r.worker).filter((w) => w?.startsWith(`${instance}:`)) as string[];
}
