/** Removes a refused prompt from the record, so that a session that is rebuilt from it does not have it again. */
import type { Rows } from '../database/database.ts';

const IN_ITS_PLACE = '[A message was set aside here: the model would not take its text.]';

/**
 * What the agent did before the refusal stays in the record. `answered`: the dispatch went on without the texts, so its
 * answer stays as well. Call it before the answer is recorded.
 */
export async function unrecordPrompt(
  rows: Rows,
  of: { conversationId: string; dispatchId: string; answered: boolean },
): Promise<void> {
  const acts = await rows
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', of.conversationId)
    .where('dispatch_id', '=', of.dispatchId)
    .where('kind', '=', 'tool')
    .executeTakeFirst();
  if (of.answered || acts !== undefined) {
    await rows
      .updateTable('turns')
      .set({ content: IN_ITS_PLACE })
      .where('conversation_id', '=', of.conversationId)
      .where('dispatch_id', '=', of.dispatchId)
      .where('kind', '=', 'prompt')
      .execute();
    return;
  }
  await rows
    .deleteFrom('turns')
    .where('conversation_id', '=', of.conversationId)
    .where('dispatch_id', '=', of.dispatchId)
    .where('kind', 'in', ['text', 'prompt'])
    .execute();
}
