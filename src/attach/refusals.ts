/** Why somebody cannot attach now, with what to do. */
import type { DispatchRow } from '../database/tables.ts';
import { plainTime } from '../plain-time.ts';

export function whyBusy(
  {
    id,
    agent,
    started_at: started,
    attached_by: by,
  }: Pick<DispatchRow, 'id' | 'agent' | 'started_at' | 'attached_by'>,
  reference: string,
): string {
  const since = started === null ? '' : ` since ${plainTime(Number(started))}`;
  if (by !== null) {
    return `${by} is attached to this conversation${since}. Wait until they have left; after a crash that takes worker.lease_seconds, with a running service.`;
  }
  return (
    `${agent} is at work in this conversation${since} (dispatch ${id}). \`claude-hooks hold ${reference}\` keeps the next run from beginning and ` +
    `\`claude-hooks cancel ${reference}\` stops this one; or say it something with \`claude-hooks say\`.`
  );
}
