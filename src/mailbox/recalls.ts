/**
 * Recalls: a note in a run's row that somebody closed its item, or took away an assignee, a label or a request for
 * review.
 */
import type { Rows } from '../database/database.ts';
import type { EventName, ForgeEvent } from '../vocabulary.ts';

/**
 * Events that may take back what an agent was woken for. A delivery only claims it, so the run asks the forge.
 */
const RECALLING: ReadonlySet<EventName> = new Set([
  'issue.closed',
  'issue.unassigned',
  'issue.labeled',
  'pull.closed',
  'pull.unassigned',
  'pull.labeled',
  'pull.review_request_removed',
]);

/** Recalls the runs of every conversation that the event's item belongs to. */
export async function recallRuns(tx: Rows, event: ForgeEvent, deliveryId: string): Promise<void> {
  if (event.item === null || !RECALLING.has(event.name)) return;
  await tx
    .updateTable('dispatches')
    .set({ recalled_by: deliveryId })
    .where('state', '=', 'running')
    .where('conversation_id', 'in', (e) =>
      e
        .selectFrom('conversation_items')
        .select('conversation_id')
        .where('forge', '=', event.forge)
        .where('repository_id', '=', event.repository.id)
        .where('number', '=', event.item!.number)
        .where('kind', '=', event.item!.kind),
    )
    .execute();
}

/** The delivery that last recalled this run; null = none did. */
export async function recalledBy(rows: Rows, dispatchId: string): Promise<string | null> {
  const row = await rows
    .selectFrom('dispatches')
    .select('recalled_by')
    .where('id', '=', dispatchId)
    .executeTakeFirst();
  return row?.recalled_by ?? null;
}
