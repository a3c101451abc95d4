/** What an operator may write to name an answer that the forge refused. */
import type { Rows } from '../database/database.ts';
import { NotFound } from '../errors.ts';
import { findConversations, isPrefix } from './references.ts';
import { count, oneLine } from './text.ts';

/** The dispatch's id: by its own, by a beginning of it, or by what names a conversation, then its newest. */
export async function findUnposted(rows: Rows, reference: string): Promise<string> {
  const unposted = rows.selectFrom('dispatches').select('id').where('state', '=', 'unposted');
  const id = reference.toLowerCase();
  if (isPrefix(id)) {
    const found = await unposted.where('id', 'like', `${id}%`).limit(2).execute();
    if (found.length === 1) return found[0]!.id;
  }
  const conversations = await findConversations(rows, reference);
  const ids = conversations.map((c) => c.id);
  const newest =
    ids.length === 0
      ? []
      : await unposted
          .select('conversation_id')
          .where('conversation_id', 'in', ids)
          .orderBy('seq', 'desc')
          .execute();
  const of = new Set(newest.map((d) => d.conversation_id));
  if (of.size > 1) {
    throw new NotFound(
      `${oneLine(reference)} has ${count(of.size, 'conversation')} with an answer that was not posted: ${[...of].join(', ')}. Name one of them.`,
    );
  }
  if (newest[0] !== undefined) return newest[0].id;
  throw new NotFound(
    `No answer that the forge refused is named by ${oneLine(reference)}. Give the id of a dispatch or a conversation, or ` +
      'the item as owner/name#12; `claude-hooks conversations` shows which have one.',
  );
}
