/** Guards of the first hour: a fresh machine, a demo that is stopped, commands before the first start. */
import type { Guard } from './guards.ts';

export const HOUR_START_GUARDS: Guard[] = [
  {
    name: 'first hour: the demo has an attendant that outlives it',
    keeps: 'a demo that was killed leaves its service, its run and its folder behind',
    off: [
      {
        file: 'src/demo/attendant.ts',
        find: "once('close', () => void clearAway(left, environmentIn(said)));",
        replace: "once('close', () => {});",
      },
    ],
    tests: { files: ['src/cli/piped-demo.test.ts'], named: 'SIGKILL' },
  },
  {
    name: 'first hour: a closed pipe ends a command in order',
    keeps: '`demo | head -3` ends with a stack trace',
    off: [
      {
        file: 'src/cli/stopping.ts',
        find: "if (error.code !== 'EPIPE') throw error;",
        replace: 'throw error;',
      },
    ],
    tests: { files: ['src/cli/piped-demo.test.ts'], named: 'its reader goes' },
  },
  {
    name: 'first hour: a git that is too old is refused',
    keeps: 'the first run fails on a command that this git does not know',
    off: [
      {
        file: 'src/workdir/installed.ts',
        find: 'if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;',
        replace: 'return;',
      },
    ],
    tests: { files: ['src/workdir/installed.test.ts'], named: 'refused' },
  },
  {
    name: 'first hour: commands before the first start make nothing',
    keeps:
      'a command that only asks leaves an empty database, perhaps of another user, for the service to find',
    off: [
      {
        file: 'src/database/opening.ts',
        find: '  seeFile(o);\n',
        replace: '',
      },
    ],
    tests: { files: ['src/database/opening.test.ts'], named: 'nothing is made' },
  },
  {
    name: 'first hour: what is staged must start',
    keeps: 'a commit on main that lacks a file does not start',
    off: [
      {
        file: 'scripts/starts.ts',
        find: 'if (status === 0) return true;',
        replace: 'if (status !== null) return true;',
      },
    ],
    tests: { files: ['test/starts.test.ts'] },
  },
];
