/** `answers post`: an answer that the forge refused goes out once the forge takes it. */
import type { Command } from 'commander';
import { NotFound } from '../errors.ts';
import { postAgain } from '../mailbox/unposted.ts';
import { readReference } from '../views/references.ts';
import { findUnposted } from '../views/unposted.ts';
import { withExamples } from './examples.ts';
import { answer, writing } from './shared.ts';

export function registerAnswers(program: Command): void {
  const post = program
    .command('answers')
    .description('answers that the forge refused to take')
    .command('post')
    .description('post an answer that the forge refused; of a conversation, the newest')
    .argument(
      '<dispatch-or-conversation>',
      'dispatch id, conversation id, or item as [forge:]owner/name#12 or its address',
    )
    .option('--json', 'print JSON')
    .action(postOne);
  withExamples(post, [
    { call: 'answers post ada/greeter#1', does: 'the newest refused answer of that item' },
    { call: 'answers post 0f3b6c1e', does: 'the answer of one dispatch, by the beginning of its id' },
  ]);
}

async function postOne(text: string, _options: unknown, command: Command): Promise<void> {
  const dispatch = await writing(command, async ({ database, config }) => {
    const id = await findUnposted(database.rows, readReference(text, config.forges));
    const posted = await postAgain(database, { dispatchId: id, now: Date.now() });
    if (posted.kind === 'busy') {
      throw new NotFound(
        `Dispatch ${posted.dispatch} of the same conversation waits for its turn. Post the answer when that one has ended.`,
      );
    }
    if (posted.kind === 'not-unposted') {
      throw new NotFound(`Dispatch ${id} is ${posted.state} by now. There is nothing to post.`);
    }
    return id;
  });
  answer(
    command,
    { dispatch },
    () =>
      `The answer of dispatch ${dispatch} is to be posted; a running service does it now. \`claude-hooks conversations\` shows what came of it.`,
  );
}
