/** The versions that the runs of a conversation began with. */
import type { Rows } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';

/** Enough to find the last run of any skill that is in use. */
const MOST_READ = 20;

/** JSON, newest first. */
export async function storedVersions(rows: Rows, conversationId: string): Promise<string[]> {
  const stored = await rows
    .selectFrom('dispatches')
    .select('versions')
    .where('conversation_id', '=', conversationId)
    .where('versions', 'is not', null)
    // A run that was cut off before it answered counts as well: the session has its prompt.
    .orderBy('seq', 'desc')
    .limit(MOST_READ)
    .execute();
  return stored.map(({ versions }) => versions!);
}

/** What was cut in the background of the run before this one: JSON BackgroundTask[], or null. */
export async function cutInBackground(
  rows: Rows,
  { id, conversation_id, background }: Pick<DispatchRow, 'id' | 'conversation_id' | 'background'>,
): Promise<string | null> {
  if (background !== null) return background;
  const last = await rows
    .selectFrom('dispatches')
    .select('background')
    .where('conversation_id', '=', conversation_id)
    .where('session_id', 'is not', null)
    .where('attached_by', 'is', null)
    .where('id', '!=', id)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.background ?? null;
}
