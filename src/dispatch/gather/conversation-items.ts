/** The items that belong to a conversation. */
import type { Rows } from '../../database/database.ts';
import type { Lease } from '../../mailbox/leases.ts';

/** Its own first, then the pull requests that joined it. */
export async function itemsOf(rows: Rows, { conversation }: Pick<Lease, 'conversation'>): Promise<number[]> {
  const joined = await rows
    .selectFrom('conversation_items')
    .select('number')
    .where('conversation_id', '=', conversation.id)
    .orderBy('number')
    .execute();
  return [...new Set([conversation.item_number, ...joined.map((row) => row.number)])];
}
