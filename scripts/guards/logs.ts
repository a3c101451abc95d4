/** What the log and the metrics tell: each reading in which they would say less, something else, or too much. */
import type { Guard } from './guard.ts';

const LOG = { files: ['src/log.test.ts'] };
const RELOAD = { files: ['src/config/watch.test.ts'], named: 'what a reload has changed' };
const STORY = { files: ['test/story-log.test.ts'] };
const TOTALS = { files: ['src/metrics/model-totals.test.ts'] };

export const LOGS_GUARDS: Guard[] = [
  {
    name: 'a log line cannot be forged',
    keeps: 'a stranger’s text from ending a line, moving the cursor or turning the direction of writing',
    off: [{ mark: 'a log line cannot be forged', becomes: 'const UNSEEN = /[\\n]/gu;' }],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a field is no level',
    keeps: 'a field of a line from passing for its level or its message',
    off: [{ mark: 'a field is no level', becomes: 'const TAKEN = [""];' }],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a log line has an end',
    keeps: 'a payload of megabytes from being a log line',
    off: [{ mark: 'a log line has an end', becomes: 'const LONGEST_TEXT = 2_000_000_000;' }],
    tests: { ...LOG, named: 'what others wrote' },
  },
  {
    name: 'a reload shows no secret',
    keeps: 'the old secret, which the redactor does not know any more, from the log',
    off: [{ mark: 'a reload shows no secret', becomes: '' }],
    tests: RELOAD,
  },
  {
    name: 'a reload shows no password in an address',
    keeps: 'a password in an address that is no secret by its option from the log',
    off: [{ mark: 'a reload shows no password in an address', becomes: 'return String(value);' }],
    tests: RELOAD,
  },
  {
    name: 'a row of the ledger counts once',
    keeps: 'a late row from being left out of the cost, or counted twice',
    off: [{ mark: 'a row of the ledger counts once', becomes: ".where('seq', '<=', end)" }],
    tests: TOTALS,
  },
  {
    name: 'metrics leave the public address',
    keeps: 'strangers from reading what agents cost where metrics have an address of their own',
    off: [{ mark: 'metrics leave the public address', becomes: 'addHealth(app, deps);' }],
    tests: STORY,
  },
  {
    name: 'an echo is debug',
    keeps: 'our own doing from filling the log',
    off: [{ mark: 'an echo is debug', lines: 1, becomes: 'deps.log.info(`delivery ${name}`, {' }],
    tests: { files: ['src/router.test.ts'], named: 'echoes at debug' },
  },
];
