/** `answers post`: an answer that the forge refused goes out once the forge takes it. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { openExisting } from '../database/opening.ts';
import { NotFound } from '../errors.ts';
import { findUnposted } from '../inspection/unposted.ts';
import { postAgain } from '../mailbox/unposted.ts';
import { answer, configFile } from './shared.ts';

export function registerAnswers(program: Command): void {
  program
    .command('answers')
    .description('answers that the forge refused to take')
    .command('post <dispatch-or-conversation>')
    .description('post an answer that the forge refused; of a conversation, the newest')
    .option('--json', 'print JSON')
    .action(post);
}

async function post(reference: string, options: { json?: boolean }, command: Command): Promise<void> {
  const config = loadConfig({ file: configFile(command), env: process.env });
  const database = await openExisting({ url: config.database.url, readOnly: false });
  try {
    const dispatch = await findUnposted(database.rows, reference);
    const posted = await postAgain(database, { dispatchId: dispatch, now: Date.now() });
    if (posted.kind === 'busy') {
      throw new NotFound(
        `Dispatch ${posted.dispatch} of the same conversation waits for its turn. Post the answer when that one has ended.`,
      );
    }
    if (posted.kind === 'not-unposted') {
      throw new NotFound(`Dispatch ${dispatch} is ${posted.state} by now. There is nothing to post.`);
    }
    answer(
      { dispatch },
      options,
      () =>
        `The answer of dispatch ${dispatch} is to be posted; a running service does it now. \`claude-hooks conversations\` shows what came of it.`,
    );
  } finally {
    await database.close();
  }
}
