/** `sessions unmark`: a person's word that what a session has read until now does not count any more. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { openExisting } from '../database/opening.ts';
import { NotFound } from '../errors.ts';
import { findSession, viewMarks } from '../inspection/session-marks.ts';
import { liftMarks } from '../sessions/marks.ts';
import { answer, configFile } from './shared.ts';

interface UnmarkOptions {
  by: string;
  because: string;
  json?: boolean;
}

export function registerMarks(sessions: Command): void {
  sessions
    .command('unmark <session>')
    .description(
      'let a session that has read strangers’ words do everything again (session id, or conversation); later words mark it again',
    )
    .requiredOption('--by <name>', 'the person who has looked at these words and answers for it')
    .requiredOption('--because <text>', 'the reason, kept with the session')
    .option('--json', 'print JSON')
    .action(unmark);
}

async function unmark(reference: string, options: UnmarkOptions, command: Command): Promise<void> {
  const [by, because] = [options.by.trim(), options.because.trim()];
  if (by === '' || because === '') {
    throw new NotFound('A mark is lifted by a person, with a reason. Give --by <name> and --because <text>.');
  }
  const config = loadConfig({ file: configFile(command), env: process.env });
  const database = await openExisting({ url: config.database.url, readOnly: false });
  try {
    const session = await findSession(database.rows, reference);
    const lifted = await liftMarks(database, { sessionId: session.id, by, because, now: Date.now() });
    const view = await viewMarks(database.rows, session.id);
    answer({ session: session.id, lifted, ...view }, options, () =>
      lifted === 0
        ? `Session ${session.id} has no mark that counts; nothing was changed.`
        : `${lifted} mark(s) of session ${session.id} are lifted by ${by}. It may do all that its agent may, from its next run on; new words of strangers mark it again.`,
    );
  } finally {
    await database.close();
  }
}
