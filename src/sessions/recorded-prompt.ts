/**
 * The CLI records the system prompt at a session's first request and sends the record at every later one, whatever it is
 * told then (`systemPrompt.snapshot` of the SDK). So an agent whose instructions were changed would keep the old ones in
 * all conversations that go on, and nobody would see it: its system prompt is made anew then, at the cost of its cache.
 */
import { createHash } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';

/** Call before the session's run. True = the record tells the agent something that is no longer so. */
export async function isRecordOutdated(
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
