/** What no webhook told: found once, in the right order, and within limits; and what comes of runs. */
import type { Guard } from './guard.ts';

const HOUR = ['src/reconciler.test.ts'];
const RULES = ['src/reconciler/rules.test.ts'];

export const RECONCILER_GUARDS: Guard[] = [
  {
    name: 'reconciler: what is known is not told again',
    keeps: 'an event that a webhook has told from being told once more by a look',
    off: [{ mark: 'reconciler: what is known is not told again', becomes: "if (keys.has('')) return true;" }],
    tests: { files: ['src/reconciler/compare.test.ts'] },
  },
  {
    name: 'reconciler: an edit soon after the text was told',
    keeps: 'an edit from being lost whose text was told by a webhook since the last look',
    off: [
      { mark: 'reconciler: an edit soon after the text was told', becomes: 'if (edit !== null) return [];' },
    ],
    tests: { files: ['src/reconciler/compare.test.ts'], named: 'edit' },
  },
  {
    name: 'reconciler: a page full of remarks is not the last one',
    keeps: 'what came after a review with many remarks on lines from being overlooked',
    off: [{ mark: 'reconciler: a page full of remarks is not the last one', becomes: '' }],
    tests: { files: ['src/forges/gitea/twins.test.ts'], named: 'many remarks' },
  },
  {
    name: 'reconciler: an owner who is gone',
    keeps: 'one owner whom the forge does not have from ending every look at all others',
    off: [{ mark: 'reconciler: an owner who is gone', becomes: 'throw error;' }],
    tests: { files: ['src/forges/gitea/twins.test.ts'], named: 'has its twin' },
  },
  {
    name: 'reconciler: an edit by nobody knows whom',
    keeps: "an edit whose author nobody knows from counting as a named sender's",
    off: [{ mark: 'reconciler: an edit by nobody knows whom', becomes: 'return event;' }],
    tests: { files: ['src/reconciler/compare.test.ts'] },
  },
  {
    name: 'reconciler: the forge is given the time it asks for',
    keeps: 'a forge that asks us to wait from being asked again before',
    off: [{ mark: 'reconciler: the forge is given the time it asks for', becomes: 'const seconds = again;' }],
    tests: { files: ['src/reconciler/compare.test.ts'], named: 'time' },
  },
  {
    name: 'reconciler: a late webhook is no second event',
    keeps: 'a webhook that says another second or an older text from waking an agent again',
    off: [{ mark: 'reconciler: a late webhook is no second event', becomes: "const likeness = '';" }],
    tests: { files: HOUR, named: 'late webhooks' },
  },
  {
    name: 'stuck: once in six hours',
    keeps: 'a rule from acting on the same thing with every look',
    off: [{ mark: 'stuck: once in six hours', becomes: ".where('rule', '=', rule)" }],
    tests: { files: RULES, named: 'once in six hours' },
  },
  {
    name: 'progress: counted with the settlement',
    keeps: 'a run without a result from being forgotten',
    off: [
      {
        mark: 'progress: counted with the settlement',
        becomes:
          'if (options.progress != null && options.now < 0) await settleProgress(tx, lease.dispatch, options.progress, options.now);',
      },
    ],
    tests: { files: ['src/mailbox/progress.test.ts'], named: 'settled' },
  },
];
