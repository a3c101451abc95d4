/** What the model refused goes out of the record: a session that is rebuilt from it must not hold it again. */
import type { Rows } from '../database/database.ts';

const IN_ITS_PLACE = '[A message was set aside here: the model would not take its text.]';

/**
 * What the agent did before the refusal stays. `answered`: the dispatch went on without the texts, so that its answer
 * stays, too. Call it before the answer is recorded.
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
