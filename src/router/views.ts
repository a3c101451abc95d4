/** What conditions and prompts may know of a conversation. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { findConversation, issueOf } from '../mailbox/conversations.ts';
import type { ConversationView, EventItem, ForgeEvent } from '../vocabulary.ts';

export interface KnownConversation {
  row: ConversationRow;
  /** dispatches that succeeded */
  dispatches: number;
}

/** By agent: the conversation on this item, or the one its pull request will join if it may. */
export async function conversationsOnItem(
  rows: Rows,
  event: ForgeEvent & { item: EventItem },
  agents: string[],
  mayJoin: () => boolean,
): Promise<Map<string, KnownConversation>> {
  const known = new Map<string, KnownConversation>();
  for (const agent of agents) {
    const { forge, repository, item } = event;
    const at = { forge, repository, number: item.number, agent, item };
    const own = await findConversation(rows, at);
    const issue = own === undefined ? await issueOf(rows, at) : undefined;
    // Asked last: only now does it make a difference who the author is.
    const row = own ?? (issue !== undefined && mayJoin() ? issue : undefined);
    if (row !== undefined) known.set(agent, { row, dispatches: await succeeded(rows, row.id) });
  }
  return known;
}

async function succeeded(rows: Rows, conversationId: string): Promise<number> {
  const { count } = await rows
    .selectFrom('dispatches')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('state', 'in', ['succeeded', 'unposted'])
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
