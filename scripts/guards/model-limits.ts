/** Whose a refusal is: each reading that makes one conversation's trouble everybody's, or a text's the session's. */
import type { Guard } from './guard.ts';

const MONEY = ['test/money.test.ts'];
const ENDING = ['src/agent-runner/ending.test.ts'];
const REFUSALS = 'no refusal costs more';

export const MODEL_LIMITS_GUARDS: Guard[] = [
  {
    name: 'every piece of a cut-off answer',
    keeps: 'the beginning of a long answer from being lost',
    off: [{ mark: 'every piece of a cut-off answer', becomes: '' }],
    tests: { files: ['src/agent-runner.test.ts'], named: 'in pieces is posted whole' },
  },
  {
    name: 'an answer longer than the model writes',
    keeps: 'the same long answer from being paid for again and again, as in an outage',
    off: [{ mark: 'an answer longer than the model writes', becomes: '' }],
    tests: { files: ENDING, named: 'longer than the model writes' },
  },
  {
    name: 'a refusal of one text is not the credential’s',
    keeps: 'a proxy that refuses one issue from stopping all conversations',
    off: [{ mark: 'a refusal of one text is not the credential’s', becomes: '' }],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'what the gateway never saw is not the credential’s',
    keeps: 'a setting of one repository from stopping all conversations',
    off: [
      {
        mark: 'what the gateway never saw is not the credential’s',
        lines: 1,
        becomes: 'if (limit === null && !wasLimited && o.status === 0) {',
      },
    ],
    tests: { files: ENDING, named: 'never saw' },
  },
  {
    name: 'a limit of one model',
    keeps: 'agents of other models from waiting for it',
    off: [{ mark: 'a limit of one model', becomes: 'if (scope.startsWith(CREDENTIAL)) return true;' }],
    tests: { files: ['src/mailbox/holds.test.ts'], named: 'one model' },
  },
  {
    name: 'a refused body is remembered',
    keeps: 'the model from being asked six times for what it refuses',
    off: [
      {
        mark: 'a refused body is remembered',
        becomes: 'return known !== undefined && known.times < 0 ? known.toSend : null;',
      },
    ],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'refused text is set aside',
    keeps: 'text that the model refuses from standing in every later prompt',
    off: [
      {
        mark: 'refused text is set aside',
        becomes:
          'const material = await firstMaterial(dispatch, deps, { context: withoutTexts(context, new Set()), fixed });',
      },
    ],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'a refused turn leaves the transcript',
    keeps: 'text that the model refuses from standing in the history',
    off: [
      {
        mark: 'a refused turn leaves the transcript',
        becomes: 'const kept = bytes === null ? null : withoutAfter(bytes, "nobody");',
      },
    ],
    tests: { files: ['src/sessions/cut-back.test.ts'], named: 'as the last answer left them' },
  },
  {
    name: 'the prompt before the session',
    keeps: 'a session from being given up for the size of one prompt',
    off: [{ mark: 'the prompt before the session', becomes: 'return null;' }],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'an outage has no end',
    keeps: 'work from being given up while the model or the forge is away',
    off: [
      {
        mark: 'an outage has no end',
        lines: 1,
        becomes: "if (trouble === 'passes' && earlier + 1 < MOST_TROUBLES) {",
      },
    ],
    tests: { files: MONEY, named: 'an outage' },
  },
  {
    name: 'a wrong certificate is no outage',
    keeps: 'people from waiting for what will not pass',
    off: [{ mark: 'a wrong certificate is no outage', becomes: "return 'passes';" }],
    tests: { files: ['src/dispatch/settle/troubles.test.ts'], named: 'a wrong certificate' },
  },
  {
    name: 'an overflow in the words of others',
    keeps: 'a full context from being taken for a bad request',
    off: [
      { mark: 'an overflow in the words of others', becomes: 'return /prompt is too long/.test(words);' },
    ],
    tests: { files: ['src/gateway/error-words.test.ts'], named: 'overflow' },
  },
  {
    name: 'set aside: by the tools as well',
    keeps: 'a text that the model refuses from coming back through a tool',
    off: [{ mark: 'set aside: by the tools as well', becomes: 'await forge.listComments(...question),' }],
    tests: { files: ['src/dispatch/screen/set-aside.test.ts'], named: 'shown by no tool' },
  },
];
