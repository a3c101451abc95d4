/** The walls between a signed delivery and an agent: what it claims is compared with the forge. */
import type { Guard } from './guard.ts';

const IDENTITY = ['src/router/identity.test.ts'];
const RED_TEAM = ['test/red-team/intake.test.ts'];
const FUZZ = ['test/properties/forgeries.test.ts'];

export const INTAKE_GUARDS: Guard[] = [
  {
    name: 'intake: one repository',
    keeps: 'the id of one repository and the name of another from being one',
    off: [
      {
        mark: 'intake: one repository',
        becomes: "if (found.names.has(name)) return { kind: 'known', repository: found.repository };",
      },
    ],
    tests: { files: [...IDENTITY, ...FUZZ] },
  },
  {
    name: 'intake: one account',
    keeps: 'the login of one account and the id of another from being one',
    off: [{ mark: 'intake: one account', becomes: 'if (value.user) return value.permission;' }],
    tests: { files: ['src/forges/gitea/access.test.ts'] },
  },
  {
    name: 'intake: on the forge',
    keeps: 'what never happened from waking an agent',
    off: [
      {
        mark: 'intake: on the forge',
        becomes:
          "const findings = await Promise.all(messages.map((message) => ({ kind: 'there', event: message.event, proof: null, note: null }) as Finding));",
      },
    ],
    tests: { files: FUZZ },
  },
  {
    name: 'intake: other words',
    keeps: 'a real comment from waking an agent for words it never had',
    off: [{ mark: 'intake: other words', lines: 1, becomes: 'if (!isSame && claimed.id < 0)' }],
    tests: { files: [...RED_TEAM, 'src/dispatch/gather/on-the-forge.test.ts'], named: 'other words' },
  },
  {
    name: 'intake: whose comment',
    keeps: 'the words of a stranger from waking an agent under the name of a person who may',
    off: [{ mark: 'intake: whose comment', becomes: 'const author = claimed.author;' }],
    tests: { files: RED_TEAM, named: 'other words' },
  },
  {
    name: 'intake: who assigned',
    keeps: 'an assignment from being told in the name of somebody who did not make it',
    off: [
      {
        mark: 'intake: who assigned',
        becomes: 'expected.kinds.includes(entry.kind) && isAbout(entry, expected);',
      },
    ],
    tests: { files: RED_TEAM, named: 'under another name' },
  },
  {
    name: 'intake: once',
    keeps: 'one happening from waking an agent as often as somebody signs it with another time',
    off: [{ mark: 'intake: once', becomes: 'if (first === id) taken.set(id, first);' }],
    tests: { files: RED_TEAM, named: 'under another name' },
  },
  {
    name: "intake: the forge's words",
    keeps: 'made-up words around a true event from standing in a prompt as those of a person who is trusted',
    off: [{ mark: "intake: the forge's words", becomes: 'return { messages: [...messages], notes: [] };' }],
    tests: { files: RED_TEAM, named: 'made-up words' },
  },
  {
    name: 'intake: a real deletion',
    keeps: "somebody's waiting words from being taken back by a deletion that was made up",
    off: [
      {
        mark: 'intake: a real deletion',
        lines: 1,
        becomes: "if (event.name === 'comment.deleted' && gone === undefined) {",
      },
    ],
    tests: { files: IDENTITY, named: 'deletion' },
  },
  {
    name: 'intake: no time to come',
    keeps: 'a delivery from the future from making every later event of the item look old',
    off: [
      {
        mark: 'intake: no time to come',
        becomes: "return isToCome && receivedAt < 0 ? { ...event, occurredAt: '' } : event;",
      },
    ],
    tests: { files: IDENTITY, named: 'time to come' },
  },
  {
    name: 'intake: told before it happens',
    keeps: 'a made-up delivery from silencing the real one that comes after it',
    off: [
      {
        mark: 'intake: told before it happens',
        becomes: 'const words = [hash([sender.id, comment.user.id, issue.number, comment.body].slice(9))];',
      },
    ],
    tests: { files: ['src/forges/gitea/outcomes.test.ts'], named: 'a comment is created once' },
  },
];
