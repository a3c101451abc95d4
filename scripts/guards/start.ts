/** Guards of the first hour: a fresh machine, a demo that is stopped, commands before the first start. */
import type { Guard } from './guard.ts';

export const START_GUARDS: Guard[] = [
  {
    name: 'first hour: the demo has an attendant that outlives it',
    keeps: 'a demo that was killed leaves its service, its run and its folder behind',
    off: [
      {
        mark: 'first hour: the demo has an attendant that outlives it',
        becomes: "process.stdin.once('close', () => {});",
      },
    ],
    tests: { files: ['src/cli/piped-demo.test.ts'], named: 'SIGKILL' },
  },
  {
    name: 'first hour: a closed pipe ends a command in order',
    keeps: '`demo | head -3` ends with a stack trace',
    off: [{ mark: 'first hour: a closed pipe ends a command in order', becomes: 'throw error;' }],
    tests: { files: ['src/cli/piped-demo.test.ts'], named: 'its reader goes' },
  },
  {
    name: 'first hour: a git that is too old is refused',
    keeps: 'the first run fails on a command that this git does not know',
    off: [{ mark: 'first hour: a git that is too old is refused', becomes: 'return;' }],
    tests: { files: ['src/workdir/installed.test.ts'], named: 'refused' },
  },
  {
    name: 'first hour: commands before the first start make nothing',
    keeps:
      'a command that only asks leaves an empty database, perhaps of another user, for the service to find',
    off: [{ mark: 'first hour: commands before the first start make nothing', becomes: '' }],
    tests: { files: ['src/database/opening.test.ts'], named: 'nothing is made' },
  },
  {
    name: 'first hour: what is staged must start',
    keeps: 'a commit on main that lacks a file does not start',
    off: [{ mark: 'first hour: what is staged must start', becomes: 'if (status !== null) return true;' }],
    tests: { files: ['test/starts.test.ts'] },
  },
];
