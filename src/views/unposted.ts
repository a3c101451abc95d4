/** What an operator may write to name an answer that the forge refused. */
import type { Rows } from '../database/database.ts';
import { NotFound } from '../errors.ts';
import { oneLine } from '../terminal-text.ts';
import { ambiguous, findConversations, isPrefix, itemOf, type Named, referenceOf } from './references.ts';

/** The dispatch's id: by its own, by a beginning of it, or by what names a conversation, then its newest. */
export async function findUnposted(rows: Rows, named: Named): Promise<string> {
  const reference = referenceOf(named);
  const unposted = rows
    .selectFrom('dispatches as d')
    .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
    .select(['d.id', 'd.agent', 'd.conversation_id', 'c.forge', 'c.repository_name', 'c.item_number'])
    .where('d.state', '=', 'unposted')
    .orderBy('d.seq', 'desc');
  if (reference.kind === 'id' && isPrefix(reference.id)) {
    const found = await unposted.where('d.id', 'like', `${reference.id}%`).limit(20).execute();
    if (found.length === 1) return found[0]!.id;
    if (found.length > 1) {
      const candidates = found.map((d) => ({ id: d.id, is: `${d.agent} on ${itemOf(d)}` }));
      throw ambiguous(reference.text, 'answer', candidates);
    }
  }
  // Only ids of conversations: by another dispatch's or a session's id, an answer could be posted that nobody meant.
  // guard: cli: an answer is not posted for the id of another dispatch
  const conversations = await findConversations(rows, reference, ['conversation']);
  const ids = conversations.map((c) => c.id);
  const newest = ids.length === 0 ? [] : await unposted.where('d.conversation_id', 'in', ids).execute();
  const perConversation = new Map(newest.toReversed().map((d) => [d.conversation_id, d]));
  if (perConversation.size > 1) {
    const candidates = [...perConversation.values()].map((d) => ({
      id: d.conversation_id,
      is: `${d.agent} on ${itemOf(d)}`,
    }));
    throw ambiguous(reference.text, 'conversation', candidates);
  }
  if (newest[0] !== undefined) return newest[0].id;
  throw new NotFound(
    `No answer that the forge refused is named by ${oneLine(reference.text)}. Give the id of a dispatch or a conversation, ` +
      'or the item as owner/name#12 or its address; `claude-hooks conversations` shows which have one.',
  );
}
