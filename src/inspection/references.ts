/** What an operator may write to name a conversation. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';

/** Fewer characters of an id would match by accident. */
const SHORTEST_PREFIX = 6;

/**
 * By id, by an unambiguous beginning of it (6 characters or more), or by `owner/name#12` (without case; also a pull
 * request that joined). An item has one conversation for each agent that worked on it, so there can be several.
 */
export async function findConversations(rows: Rows, reference: string): Promise<ConversationRow[]> {
  const item = /^([^/\s]+\/[^#\s]+)#(\d+)$/.exec(reference);
  return item === null
    ? await byId(rows, reference)
    : await byItem(rows, { repository: item[1]!, number: Number(item[2]) });
}

async function byId(rows: Rows, reference: string): Promise<ConversationRow[]> {
  const id = reference.toLowerCase();
  const query = rows.selectFrom('conversations').selectAll();
  const exact = await query.where('id', '=', id).executeTakeFirst();
  if (exact !== undefined) return [exact];
  if (!isPrefix(id)) return [];
  const found = await query.where('id', 'like', `${id}%`).limit(2).execute();
  return found.length === 1 ? found : [];
}

/** The beginning of a UUID; nothing in it means anything to `like`. */
export function isPrefix(id: string): boolean {
  return id.length >= SHORTEST_PREFIX && /^[0-9a-f-]+$/.test(id);
}

async function byItem(rows: Rows, item: { repository: string; number: number }): Promise<ConversationRow[]> {
  return await rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .selectAll('c')
    .where((e) => e.fn<string>('lower', ['c.repository_name']), '=', item.repository.toLowerCase())
    .where('i.number', '=', item.number)
    .orderBy('c.forge')
    .orderBy('c.agent')
    .execute();
}
