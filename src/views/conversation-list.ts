/** All conversations, last changed first: by pages that begin after a key. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { currentParks } from '../mailbox/parks.ts';
import { type ConversationSummary, type Moment, summarise } from './conversation-summary.ts';

export interface ConversationList {
  /** last changed first */
  conversations: ConversationSummary[];
  total: number;
}

/**
 * The last conversation of a page. The next page begins after it, whatever came in before it meanwhile; an offset would
 * show rows twice then, and would read all that it skips.
 */
export interface PageKey {
  /** ms */
  updatedAt: number;
  id: string;
}

export interface ConversationPage {
  conversations: ConversationSummary[];
  /** where the next page begins; null = there is none */
  next: PageKey | null;
}

export interface PageQuery {
  limit: number;
  /** `next` of the page before; null = the first page */
  after: PageKey | null;
}

/** A page is held in memory whole, and its ids are values of one statement, of which SQLite takes 32,766. */
const LARGEST_PAGE = 500;

/** As many as asked for, page by page. */
export async function listConversations(
  rows: Rows,
  { limit, now = Date.now() }: { limit: number; now?: number },
): Promise<ConversationList> {
  const { total } = await rows
    .selectFrom('conversations')
    .select((e) => e.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const moment = { parks: await currentParks(rows, now), now };
  const conversations: ConversationSummary[] = [];
  let after: PageKey | null = null;
  do {
    const page: ConversationPage = await pageAt(rows, { limit: limit - conversations.length, after }, moment);
    conversations.push(...page.conversations);
    after = page.next;
  } while (after !== null && conversations.length < limit);
  return { conversations, total: Number(total) };
}

/** At most 500, whatever limit is asked for. */
export async function conversationPage(
  rows: Rows,
  { now = Date.now(), ...query }: PageQuery & { now?: number },
): Promise<ConversationPage> {
  return await pageAt(rows, query, { parks: await currentParks(rows, now), now });
}

async function pageAt(rows: Rows, query: PageQuery, moment: Moment): Promise<ConversationPage> {
  const limit = Math.min(query.limit, LARGEST_PAGE);
  // One more than is shown tells whether there is a next page.
  const found = await rowsAfter(rows, { limit: limit + 1, after: query.after });
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    conversations: await summarise(rows, shown, moment),
    next: last === undefined || found.length <= limit ? null : { updatedAt: last.updated_at, id: last.id },
  };
}

async function rowsAfter(rows: Rows, { limit, after }: PageQuery): Promise<ConversationRow[]> {
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
