/** What conditions and prompts may know of a conversation. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { closedIssues, findConversation } from '../mailbox/conversations.ts';
import type { ConversationView, EventItem, ForgeEvent } from '../vocabulary.ts';

export interface KnownConversation {
  row: ConversationRow;
  /** dispatches that succeeded */
  dispatches: number;
}

/** By agent: the conversation on this item, or the one its pull request will join. */
export async function conversationsOnItem(
  rows: Rows,
  event: ForgeEvent & { item: EventItem },
  agents: string[],
): Promise<Map<string, KnownConversation>> {
  const numbers = [event.item.number, ...(event.item.kind === 'pull' ? closedIssues(event.item.body) : [])];
  const known = new Map<string, KnownConversation>();
  for (const agent of agents) {
    for (const number of numbers) {
      const address = { forge: event.forge, repository: event.repository, number, agent };
      const row = await findConversation(rows, address);
      if (row === undefined) continue;
      known.set(agent, { row, dispatches: await succeeded(rows, row.id) });
      break;
    }
  }
  return known;
}

async function succeeded(rows: Rows, conversationId: string): Promise<number> {
  const { count } = await rows
    .selectFrom('dispatches')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('state', '=', 'succeeded')
    .executeTakeFirstOrThrow();
  return Number(count);
}

export function viewOf(known: KnownConversation | undefined): ConversationView {
  return known === undefined
    ? { exists: false, dispatches: 0, branch: null, itemNumber: null }
    : {
        exists: true,
        dispatches: known.dispatches,
        branch: known.row.branch,
        itemNumber: known.row.item_number,
      };
}
