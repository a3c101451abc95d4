/** The walls between a signed delivery and an agent: what it claims is compared with the forge. */
import type { Guard } from './guards.ts';

const IDENTITY = ['src/dispatcher/identity.test.ts'];
const RED_TEAM = ['test/red-team/intake.test.ts'];
const FUZZ = ['test/properties/forgeries.test.ts'];

export const WALLS_INTAKE_GUARDS: Guard[] = [
  {
    name: 'intake: one repository',
    keeps: 'the id of one repository and the name of another from being one',
    off: [
      {
        file: 'src/trust/repositories.ts',
        find: 'if (found.names.get(name) === true) return',
        replace: 'if (found.names.has(name)) return',
      },
    ],
    tests: { files: [...IDENTITY, ...FUZZ] },
  },
  {
    name: 'intake: one account',
    keeps: 'the login of one account and the id of another from being one',
    off: [
      {
        file: 'src/forge/gitea-family-access.ts',
        find: "return value.user.id === user.id ? value.permission : 'another';",
        replace: 'return value.permission;',
      },
    ],
    tests: { files: ['src/forge/gitea-family-access.test.ts'] },
  },
  {
    name: 'intake: on the forge',
    keeps: 'what never happened from waking an agent',
    off: [
      {
        file: 'src/worker/on-the-forge.ts',
        find: 'messages.map((message) => compare(message, comparison))',
        replace:
          "messages.map((message) => ({ kind: 'there', event: message.event, proof: null, note: null }) as Finding)",
      },
    ],
    tests: { files: FUZZ },
  },
  {
    name: 'intake: other words',
    keeps: 'a real comment from waking an agent for words it never had',
    off: [
      {
        file: 'src/worker/words-on-the-forge.ts',
        find: 'if (!isSame && !mayHaveBeenEdited(event, found))',
        replace: 'if (!isSame && claimed.id < 0)',
      },
    ],
    tests: { files: [...RED_TEAM, 'src/worker/on-the-forge.test.ts'], named: 'other words' },
  },
  {
    name: 'intake: whose comment',
    keeps: 'the words of a stranger from waking an agent under the name of a person who may',
    off: [
      {
        file: 'src/worker/words-on-the-forge.ts',
        find: '  const { author } = found;\n',
        replace: '  const author = claimed.author;\n',
      },
    ],
    tests: { files: RED_TEAM, named: 'other words' },
  },
  {
    name: 'intake: who assigned',
    keeps: 'an assignment from being told in the name of somebody who did not make it',
    off: [
      {
        file: 'src/worker/acts-on-the-forge.ts',
        find: 'entry.by.id === sender.id && expected.kinds',
        replace: 'expected.kinds',
      },
    ],
    tests: { files: RED_TEAM, named: 'under another name' },
  },
  {
    name: 'intake: once',
    keeps: 'one happening from waking an agent as often as somebody signs it with another time',
    off: [
      {
        file: 'src/worker/truth-rows.ts',
        find: 'if (first !== deliveryId) taken.set(id, first);',
        replace: 'if (first === id) taken.set(id, first);',
      },
    ],
    tests: { files: RED_TEAM, named: 'under another name' },
  },
  {
    name: "intake: the forge's words",
    keeps: 'made-up words around a true event from standing in a prompt as those of a person who is trusted',
    off: [
      {
        file: 'src/worker/on-the-forge.ts',
        find: 'if (!isTrusted) return { messages: [...messages], notes: [] };',
        replace: 'return { messages: [...messages], notes: [] };',
      },
    ],
    tests: { files: RED_TEAM, named: 'made-up words' },
  },
  {
    name: 'intake: a real deletion',
    keeps: "somebody's waiting words from being taken back by a deletion that was made up",
    off: [
      {
        file: 'src/dispatcher/decide.ts',
        find: 'facts.gone === false',
        replace: 'facts.gone === undefined',
      },
    ],
    tests: { files: IDENTITY, named: 'deletion' },
  },
  {
    name: 'intake: no time to come',
    keeps: 'a delivery from the future from making every later event of the item look old',
    off: [
      {
        file: 'src/dispatcher/facts.ts',
        find: 'return isToCome ?',
        replace: 'return isToCome && receivedAt < 0 ?',
      },
    ],
    tests: { files: IDENTITY, named: 'time to come' },
  },
  {
    name: 'intake: told before it happens',
    keeps: 'a made-up delivery from silencing the real one that comes after it',
    off: [
      {
        file: 'src/forge/gitea-family-events.ts',
        find: 'const words = [hash([sender.id, comment.user.id, issue.number, comment.body])];',
        replace: 'const words = [hash([sender.id, comment.user.id, issue.number, comment.body].slice(9))];',
      },
    ],
    tests: { files: ['src/forge/gitea-family-outcomes.test.ts'], named: 'a comment is created once' },
  },
];
