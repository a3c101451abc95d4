/**
 * The CLI stores the system prompt of a session's first request and sends it with every later one, whatever its options
 * say then (`systemPrompt.snapshot` of the SDK). Changed instructions of an agent would never reach the conversations that
 * go on. For those sessions the system prompt is made anew, which costs its prompt cache once.
 */
import { createHash } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';

/** Call it before the session's run. True: the stored system prompt is out of date. */
export async function isPromptOutdated(
  rows: Rows,
  session: SessionRow,
  instructions: string,
): Promise<boolean> {
  // guard: offer: memory in an earlier session
  if (session.told_of_memory === 1) return true;
  const digest = createHash('sha256').update(instructions).digest('hex');
  const recorded = session.instructions_digest;
  // guard: offer: instructions that were changed
  if (recorded !== null) return recorded !== digest;
  await rows
    .updateTable('sessions')
    .set({ instructions_digest: digest })
    .where('id', '=', session.id)
    .execute();
  return false;
}
