/** `say`, and the list of timers: what reaches a conversation without the forge. */
import type { Command } from 'commander';
import { sayTo } from '../own-events.ts';
import { readReference, requireOneConversation } from '../views/references.ts';
import { withExamples } from './examples.ts';
import { readWords } from './option-values.ts';
import { answer, writing } from './shared.ts';

const CONVERSATION = 'conversation id, or item as [forge:]owner/name#12 or its address';

export function registerSteering(program: Command): void {
  const say = program
    .command('say')
    .description('say something to an agent: to its run that is under way, or else to a new one')
    .argument('<conversation>', CONVERSATION)
    .argument('<text>', 'what to say', readWords)
    .option('--by <name>', 'who says it, for the agent', readWords, 'the operator')
    .option('--json', 'print JSON')
    .action(sayOne);
  withExamples(say, [
    { call: 'say ada/greeter#1 "Use the new parser."', does: 'a running agent reads it at its next step' },
  ]);
}

async function sayOne(
  reference: string,
  text: string,
  { by }: { by: string },
  command: Command,
): Promise<void> {
  const said = await writing(command, async ({ database, config }) => {
    const { id, agent } = await requireOneConversation(
      database.rows,
      readReference(reference, config.forges),
    );
    const now = Date.now();
    const { deliveryId } = await database.transaction((tx) =>
      sayTo(tx, { conversationId: id, text, by, now }),
    );
    return { conversation: id, agent, delivery: deliveryId };
  });
  answer(
    command,
    said,
    ({ agent, delivery }) =>
      `Said to ${agent}. A run that is under way reads it at its next step; otherwise a running service starts one. \`claude-hooks explain ${delivery.slice(0, 8)}\` shows what came of it.`,
  );
}
