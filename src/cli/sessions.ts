/** `sessions diagnose` and `sessions unmark`. */
import type { Command } from 'commander';
import { pinnedCliVersion } from '../agent-runner/run-cli.ts';
import { liftMarks } from '../sessions/marks.ts';
import { diagnoseSession } from '../views/diagnose.ts';
import { findSession, viewMarks } from '../views/marks.ts';
import { readReference } from '../views/references.ts';
import { callerOf } from './caller.ts';
import { withExamples } from './examples.ts';
import { readMoreWords, readWords } from './option-values.ts';
import { renderDiagnosis } from './print/diagnosis.ts';
import { answer, reading, writing } from './shared.ts';

const REFERENCE = 'session id, conversation id, or item as [forge:]owner/name#12 or its address';

export function registerSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('Claude sessions: where one was lost, and whose words one has read');
  const unmark = sessions
    .command('unmark')
    .description(
      'let a session that has read strangers’ words do everything again; later words mark it again',
    )
    .argument('<session>', REFERENCE)
    .requiredOption('--by <name>', 'the person who has looked at these words and answers for it', readWords)
    .requiredOption('--because <text>', 'the reason, kept with the session', readWords)
    .option('--json', 'print JSON')
    .action(liftAll);
  withExamples(unmark, [
    {
      call: 'sessions unmark ada/greeter#1 --by ada --because "read it, it is harmless"',
      does: 'lifts every mark of the newest session of that item',
    },
  ]);
  const diagnose = sessions
    .command('diagnose')
    .description('where a session was lost: cause, evidence, remedy; exit code 2 when it cannot be resumed')
    .argument('<session>', REFERENCE)
    .option('--other-home <folder...>', 'further folders to look for a stray transcript in', readMoreWords)
    .option('--json', 'print JSON')
    .action(diagnoseOne);
  withExamples(diagnose, [
    { call: 'sessions diagnose ada/greeter#1', does: 'the newest session of that item' },
    {
      call: 'sessions diagnose 0f3b6c1e --other-home /root /home/ci',
      does: 'a session by the beginning of its id, looked for in two more homes',
    },
  ]);
}

interface UnmarkOptions {
  by: string;
  because: string;
}

async function liftAll(text: string, { by, because }: UnmarkOptions, command: Command): Promise<void> {
  const { lifted, session, view } = await writing(command, async ({ database, config }) => {
    const { id } = await findSession(database.rows, readReference(text, config.forges));
    const lifted = await liftMarks(database, { sessionId: id, by, because, now: Date.now() });
    return { session: id, lifted, view: await viewMarks(database.rows, id) };
  });
  answer(command, { session, lifted, ...view }, () =>
    lifted === 0
      ? `Session ${session} has no mark that counts; nothing was changed.`
      : `${lifted} mark(s) of session ${session} are lifted by ${by}. It may do all that its agent may, from its next run on; new words of strangers mark it again.`,
  );
}

async function diagnoseOne(text: string, options: { otherHome?: string[] }, command: Command): Promise<void> {
  const diagnosis = await reading(command, ({ database: { rows }, config }) =>
    diagnoseSession(rows, readReference(text, config.forges), {
      currentCliVersion: pinnedCliVersion(),
      otherHomes: options.otherHome ?? [],
      stateFolder: config.state,
      archive: config.sessions.archive,
    }),
  );
  answer(command, diagnosis, renderDiagnosis);
  if (diagnosis.verdict !== 'resumable') callerOf(command).exitCode = 2;
}
