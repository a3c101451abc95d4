/** Whose a refusal is: each reading that makes one conversation's trouble everybody's, or a text's the session's. */
import type { Guard } from './guards.ts';

const MONEY = ['test/money.test.ts'];
const VERDICT = ['src/agent-runner/verdict.test.ts'];
const REFUSALS = 'no refusal costs more';

export const WORLD_LIMITS_GUARDS: Guard[] = [
  {
    name: 'a refusal of one text is not the credential’s',
    keeps: 'a proxy that refuses one issue from stopping all conversations',
    off: [{ file: 'src/gateway/refused.ts', find: "if (whose === 'body') limit = null;", replace: '' }],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'what the gateway never saw is not the credential’s',
    keeps: 'a setting of one repository from stopping all conversations',
    off: [
      {
        file: 'src/agent-runner/verdict.ts',
        find: 'if (limit === null && !wasLimited) {',
        replace: 'if (limit === null && !wasLimited && o.status === 0) {',
      },
    ],
    tests: { files: VERDICT, named: 'never saw' },
  },
  {
    name: 'a limit of one model',
    keeps: 'agents of other models from waiting for it',
    off: [
      {
        file: 'src/mailbox/parks.ts',
        find: 'if (park.credential === CREDENTIAL || model === null) return park.credential === CREDENTIAL;',
        replace: 'if (park.credential.startsWith(CREDENTIAL)) return true;',
      },
    ],
    tests: { files: ['src/mailbox/parks.test.ts'], named: 'one model' },
  },
  {
    name: 'a refused body is remembered',
    keeps: 'the model from being asked six times for what it refuses',
    off: [
      {
        file: 'src/gateway/refusal-memory.ts',
        find: 'known.times >= TIMES_ASKED ? known.toSend : null',
        replace: 'known.times < 0 ? known.toSend : null',
      },
    ],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'refused text is set aside',
    keeps: 'text that the model refuses from standing in every later prompt',
    off: [
      {
        file: 'src/worker/dispatch.ts',
        find: 'withoutTexts(context, aside)',
        replace: 'withoutTexts(context, new Set())',
      },
    ],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'a refused turn leaves the transcript',
    keeps: 'text that the model refuses from standing in the history',
    off: [
      {
        file: 'src/sessions/cut-back.ts',
        find: 'const kept = bytes === null ? null : withoutAfter(bytes, session.head);',
        replace: 'const kept = bytes === null ? null : withoutAfter(bytes, "nobody");',
      },
    ],
    tests: { files: ['src/sessions/cut-back.test.ts'], named: 'as the last answer left them' },
  },
  {
    name: 'the prompt before the session',
    keeps: 'a session from being given up for the size of one prompt',
    off: [
      {
        file: 'src/agent-runner/lighter.ts',
        find: "return plan.start === 'resume' && isDifferent(dispatch, plan) ? 'aside' : null;",
        replace: 'return null;',
      },
    ],
    tests: { files: MONEY, named: REFUSALS },
  },
  {
    name: 'an outage has no end',
    keeps: 'work from being given up while the model or the forge is away',
    off: [
      {
        file: 'src/worker/settle.ts',
        find: "if (trouble === 'passes') {",
        replace: "if (trouble === 'passes' && earlier + 1 < MOST_TROUBLES) {",
      },
    ],
    tests: { files: MONEY, named: 'an outage' },
  },
  {
    name: 'a wrong certificate is no outage',
    keeps: 'people from waiting for what will not pass',
    off: [
      {
        file: 'src/worker/troubles.ts',
        find: "return CERTIFICATE.test(error.message) ? 'stays' : 'passes';",
        replace: "return 'passes';",
      },
    ],
    tests: { files: ['src/worker/troubles.test.ts'], named: 'a wrong certificate' },
  },
  {
    name: 'an overflow in the words of others',
    keeps: 'a full context from being taken for a bad request',
    off: [
      {
        file: 'src/gateway/error-words.ts',
        find: 'return !NOT_OVERFLOW.test(words) && OVERFLOW.some((form) => form.test(words));',
        replace: 'return /prompt is too long/.test(words);',
      },
    ],
    tests: { files: ['src/gateway/error-words.test.ts'], named: 'overflow' },
  },
  {
    name: 'set aside: by the tools as well',
    keeps: 'a text that the model refuses from coming back through a tool',
    off: [
      {
        file: 'src/worker/set-aside.ts',
        find: "(await forge.listComments(...question)).map((c) => of('comment', c.id, c)),",
        replace: 'await forge.listComments(...question),',
      },
    ],
    tests: { files: ['src/worker/set-aside.test.ts'], named: 'shown by no tool' },
  },
];
