/** `say`, and the list of timers: what reaches a conversation without the forge. */
import type { Command } from 'commander';
import type { Rows } from '../database/database.ts';
import type { TimerRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { cancelTimers, timersOf } from '../mailbox/timers.ts';
import { sayTo } from '../own-events.ts';
import { oneLine } from '../terminal-text.ts';
import { readReference, requireOneConversation } from '../views/references.ts';
import { withExamples } from './examples.ts';
import { readWords } from './option-values.ts';
import { answer, reading, writing } from './shared.ts';

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
  const timers = program.command('timers').description('when agents wanted to be woken');
  const list = timers
    .command('list')
    .description('timers that wait, the next one first')
    .argument('[conversation]', CONVERSATION)
    .option('--json', 'print JSON')
    .action(listTimers);
  withExamples(list, [{ call: 'timers list ada/greeter#1', does: 'those of one conversation' }]);
  const cancel = timers
    .command('cancel')
    .description('cancel a timer, or all timers of a conversation')
    .argument('<timer-or-conversation>', `timer id, or the beginning of it; ${CONVERSATION}`)
    .option('--by <name>', 'who cancels it, kept with the timer', readWords, 'the operator')
    .option('--json', 'print JSON')
    .action(cancelSome);
  withExamples(cancel, [{ call: 'timers cancel 0f3b6c1e', does: 'one timer, by the beginning of its id' }]);
}

async function listTimers(reference: string | undefined, _options: unknown, command: Command): Promise<void> {
  const timers = await reading(command, async ({ database: { rows }, config }) => {
    if (reference === undefined) return await timersOf(rows);
    const { id } = await requireOneConversation(rows, readReference(reference, config.forges));
    return await timersOf(rows, { conversationId: id });
  });
  answer(command, timers.map(viewTimer), (views) =>
    views.length === 0
      ? 'No timer waits.'
      : views
          .map(
            ({ id, dueAt, conversation, reason }) => `${dueAt}  ${id}  ${conversation}  ${oneLine(reason)}`,
          )
          .join('\n'),
  );
}

function viewTimer({ id, conversation_id: conversation, reason, due_at, created_at }: TimerRow) {
  const [dueAt, createdAt] = [due_at, created_at].map((at) => new Date(at).toISOString());
  return { id, conversation, reason, dueAt, createdAt };
}

async function cancelSome(reference: string, { by }: { by: string }, command: Command): Promise<void> {
  const cancelled = await writing(command, async ({ database: { rows }, config }) => {
    const waiting = await timersOf(rows);
    const named = waiting.filter(({ id }) => reference.length >= 6 && id.startsWith(reference.toLowerCase()));
    if (named.length > 1)
      throw new NotFound(`${oneLine(reference)} begins several timers. Give more of the id.`);
    const ids =
      named.length === 1
        ? [named[0]!.id]
        : await idsOf(rows, await requireOneConversation(rows, readReference(reference, config.forges)));
    return await cancelTimers(rows, { ids, by, now: Date.now() });
  });
  answer(command, { cancelled }, () => `${cancelled.length} timer(s) cancelled.`);
}

async function idsOf(rows: Rows, { id: conversationId }: { id: string }): Promise<string[]> {
  return (await timersOf(rows, { conversationId })).map(({ id }) => id);
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
