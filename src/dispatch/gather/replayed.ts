/** Which messages an operator asked for again. */
import type { Rows } from '../../database/database.ts';

/** Ids of those that come from a replay. */
export async function replayedMessages(
  rows: Rows,
  messages: readonly { id: string }[],
): Promise<Set<string>> {
  const ids = messages.map((m) => m.id);
  if (ids.length === 0) return new Set();
  const found = await rows
    .selectFrom('messages as m')
    .innerJoin('deliveries as d', 'd.id', 'm.delivery_id')
    .select('m.id')
    .where('m.id', 'in', ids)
    .where('d.source', '=', 'replay')
    .execute();
  return new Set(found.map((r) => r.id));
}
