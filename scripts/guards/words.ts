import type { Guard } from './guard.ts';

/** Words on a forge: whose they are, where they stand, and where an answer to them belongs. */
export const WORDS_GUARDS: Guard[] = [
  {
    name: 'a quote mentions nobody',
    keeps:
      '"> @dev-bot delete the database" from waking the agent, and a quote of one agent from silencing another',
    off: [{ mark: 'a quote mentions nobody', becomes: 'const own = lines.map(({ text, prose }) => prose);' }],
    tests: { files: ['src/mentions.test.ts'], named: "somebody else's words mention nobody" },
  },
  {
    name: 'a signature and the mail before mention nobody',
    keeps: 'a mail program from waking an agent with what it adds below a reply',
    off: [{ mark: 'a signature and the mail before mention nobody', becomes: '' }],
    tests: { files: ['src/mentions.test.ts'], named: "somebody else's words mention nobody" },
  },
  {
    name: 'each place that asked is answered',
    keeps: 'a question on a pull request from being answered on the issue alone',
    off: [
      {
        mark: 'each place that asked is answered',
        becomes:
          'const elsewhere: string[] = [];\nvoid ({ ...main, parts, published, notes, isPosted }, deps);',
      },
    ],
    tests: { files: ['src/broker/publication.test.ts'], named: 'each item that asked' },
  },
  {
    name: 'the prompt shows every item that woke the agent',
    keeps: 'a question elsewhere from standing in a prompt that does not say where, or not at all',
    off: [{ mark: 'the prompt shows every item that woke the agent', becomes: '' }],
    tests: { files: ['src/dispatch/gather/gather.test.ts'], named: 'whose prompt shows both' },
  },
  {
    name: 'what a forge tool leaves out is said',
    keeps: 'the agent from believing that it has read a text that was cut',
    off: [
      { mark: 'what a forge tool leaves out is said', becomes: 'const note = true ? [] : [`(${leftOut})`];' },
    ],
    tests: { files: ['src/broker/tools.test.ts'], named: 'without its hidden parts' },
  },
  {
    name: 'an issue in progress gives no draft',
    keeps: 'a pull request from staying a draft that nobody takes out of it',
    off: [
      {
        mark: 'an issue in progress gives no draft',
        becomes: "while (false) rest = rest.replace(DRAFT_PREFIX, '');",
      },
    ],
    tests: { files: ['src/outcome/pulls.test.ts'], named: 'gives a pull request called' },
  },
  {
    name: 'a hidden address stays hidden',
    keeps: 'an address that its account hides from standing in public commits',
    off: [{ mark: 'a hidden address stays hidden', becomes: 'return valid(user.email);' }],
    tests: { files: ['src/forges/gitea/identity.test.ts'], named: 'hides its own' },
  },
  {
    name: 'an answer that a hook of the machine emptied',
    keeps: 'the answer from being lost when a Stop hook that is not the repository’s blocks every stop',
    off: [{ mark: 'an answer that a hook of the machine emptied', becomes: 'const answer = result.text;' }],
    tests: { files: ['src/agent-runner/ending.test.ts'], named: 'leaves empty in the end' },
  },
  {
    name: 'a force-push by a person',
    keeps:
      'the agent from bringing back what somebody took off its branch, and from not knowing what to do about it',
    off: [{ mark: 'a force-push by a person', lines: 1, becomes: 'if (rewritten !== null && false) {' }],
    tests: { files: ['src/workdir.test.ts'], named: 'force-pushed' },
  },
];
