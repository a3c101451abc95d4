/** Ends what is left of an attached terminal whose process is gone: its CLI first, then its row, so that no run begins beside it. */
import { endLeft, leftAttached } from '../mailbox/attaching.ts';
import type { DispatchDeps } from './dispatch.ts';

/** Names the processes of one attachment: another command's must live on when a service ends its own. */
export function terminalInstance(instance: string, dispatchId: string): string {
  return `${instance}-at-${dispatchId}`;
}

/** Answers the ids of those dispatches. */
export async function endLeftTerminals(
  deps: Pick<DispatchDeps, 'database' | 'runner' | 'now'>,
): Promise<string[]> {
  const { engine, instance } = deps.runner;
  const ended: string[] = [];
  for (const left of await leftAttached(deps.database.rows, deps.now())) {
    // guard: attach: its processes end before the next run
    await engine.reapOrphans(terminalInstance(instance, left.id));
    if (await endLeft(deps.database, left, deps.now())) ended.push(left.id);
  }
  return ended;
}
