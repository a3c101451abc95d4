/** What the log and the metrics tell: each reading in which they would say less, something else, or too much. */
import type { Guard } from './guards.ts';

const LOG = { files: ['src/log.test.ts'] };
const RELOAD = { files: ['src/config/watch.test.ts'], named: 'what a reload has changed' };
const STORY = { files: ['test/story-log.test.ts'] };
const TOTALS = { files: ['src/metrics/model-totals.test.ts'] };

export const HOUR_LOGS_GUARDS: Guard[] = [
  {
    name: 'a log line cannot be forged',
    keeps: 'a stranger’s text from ending a line, moving the cursor or turning the direction of writing',
    off: [
      {
        file: 'src/log/line.ts',
        find: 'const UNSEEN = /[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]/gu;',
        replace: 'const UNSEEN = /[\\n]/gu;',
      },
    ],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a field is no level',
    keeps: 'a field of a line from passing for its level or its message',
    off: [
      { file: 'src/log.ts', find: "const TAKEN = ['level', 'time', 'msg'];", replace: 'const TAKEN = [""];' },
    ],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a log line has an end',
    keeps: 'a payload of megabytes from being a log line',
    off: [
      {
        file: 'src/log/line.ts',
        find: 'const LONGEST_TEXT = 2000;',
        replace: 'const LONGEST_TEXT = 2_000_000_000;',
      },
    ],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a reload shows no secret',
    keeps: 'the old secret, which the redactor does not know any more, from the log',
    off: [
      {
        file: 'src/config/changes.ts',
        find: "if (node?.['x-secret']) return [{ name, said: `${name} (a secret)` }];",
        replace: '',
      },
    ],
    tests: RELOAD,
  },
  {
    name: 'a reload shows no password in an address',
    keeps: 'a password in an address that is no secret by its option from the log',
    off: [
      {
        file: 'src/config/changes.ts',
        find: ".replace(/\\/\\/[^/]*@/g, '//[redacted]@')",
        replace: '',
      },
    ],
    tests: RELOAD,
  },
  {
    name: 'a row of the ledger counts once',
    keeps: 'a late row from being left out of the cost, or counted twice',
    off: [
      {
        file: 'src/metrics/model-totals.ts',
        find: 'recent?.seq == null ? end : Number(recent.seq) - 1)',
        replace: 'end)',
      },
    ],
    tests: TOTALS,
  },
  {
    name: 'metrics leave the public address',
    keeps: 'strangers from reading what agents cost where metrics have an address of their own',
    off: [
      {
        file: 'src/server.ts',
        find: 'if (deps.showsHealth) addHealth(app, deps);',
        replace: 'addHealth(app, deps);',
      },
    ],
    tests: STORY,
  },
  {
    name: 'an echo is debug',
    keeps: 'our own doing from filling the log',
    off: [
      {
        file: 'src/dispatcher/told.ts',
        find: "deps.log[isOurs ? 'debug' : 'info'](",
        replace: 'deps.log.info(',
      },
    ],
    tests: { files: ['src/dispatcher.test.ts'], named: 'echoes at debug' },
  },
];
