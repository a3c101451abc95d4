/**
 * Which test files get a process of their own. Starting one and importing the sources again costs two seconds of a core a
 * file, so all others share one for each worker. The patterns name files and not their folders wherever they can, so that
 * a file may be moved. `test/own-process.test.ts` holds all others to the rule.
 */

/** They change what belongs to the whole process: its environment, mask, account, clock, or functions of the language. */
const CHANGES_ITS_PROCESS = [
  'src/agent-runner.test.ts',
  'src/container/*.test.ts',
  'src/**/pooler.test.ts',
  'src/**/private-file.test.ts',
  'src/**/door.test.ts',
  'src/program.test.ts',
  'src/**/schedule.test.ts',
  'src/webhook.test.ts',
  'src/workdir/branches.test.ts',
  'src/**/gather.test.ts',
  'src/**/marks-walk.test.ts',
  'src/**/once.test.ts',
  'src/**/twins.test.ts',
  'src/reconciler.test.ts',
  'src/reconciler/acts.test.ts',
];

/** They watch or measure their process, or start so much beside it that sharing saves little. */
const ALONE = [
  'test/{containers,faults,properties}/*.test.ts',
  'test/red-team/{bubblewrap,intake,large-texts,podman,project-files,unsigned-bodies}.test.ts',
  'test/{doctor-and-smoke,network,package,texts-event-loop,written-by-the-commit-before}.test.ts',
  'src/sessions.test.ts',
  'src/gateway/allowed.test.ts',
  'src/**/smoke.test.ts',
  'src/**/broken-layouts.test.ts',
];

export const OWN_PROCESS: readonly string[] = [...CHANGES_ITS_PROCESS, ...ALONE];
