/** All conversations, last changed first: by pages that begin after a key. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { currentHolds } from '../mailbox/holds.ts';
import { type ConversationSummary, type Moment, summarise } from './conversation-summary.ts';
import { type Page, type PageQuery, readPage, readPages } from './pages.ts';

export interface ConversationList {
  /** last changed first */
  conversations: ConversationSummary[];
  total: number;
}

/** The last conversation of a page. */
export interface ConversationPlace {
  /** ms */
  updatedAt: number;
  id: string;
}

type Query = PageQuery<ConversationPlace>;
type ConversationPage = Page<ConversationSummary, ConversationPlace>;

/** As many as asked for. */
export async function listConversations(
  rows: Rows,
  { limit, now = Date.now() }: { limit: number; now?: number },
): Promise<ConversationList> {
  const { total } = await rows
    .selectFrom('conversations')
    .select((e) => e.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const moment = { holds: await currentHolds(rows, now), now };
  const conversations = await readPages(limit, (query: Query) => pageAt(rows, query, moment));
  return { conversations, total: Number(total) };
}

export async function conversationPage(
  rows: Rows,
  { now = Date.now(), ...query }: Query & { now?: number },
): Promise<ConversationPage> {
  return await pageAt(rows, query, { holds: await currentHolds(rows, now), now });
}

async function pageAt(rows: Rows, query: Query, moment: Moment): Promise<ConversationPage> {
  return await readPage(query, {
    rows: (part) => rowsAfter(rows, part),
    view: (found) => summarise(rows, found, moment),
    keyOf: ({ updated_at: updatedAt, id }) => ({ updatedAt, id }),
  });
}

async function rowsAfter(rows: Rows, { limit, after }: Query): Promise<ConversationRow[]> {
  let query = rows
    .selectFrom('conversations')
    .selectAll()
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(limit);
  if (after !== null) {
    // By the first condition both databases begin in the middle of the index; by the second alone, at its start.
    query = query
      .where('updated_at', '<=', after.updatedAt)
      .where((e) => e.or([e('updated_at', '<', after.updatedAt), e('id', '>', after.id)]));
  }
  return await query.execute();
}
