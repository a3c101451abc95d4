import type { Guard } from './guards.ts';

/** Words on a forge: whose they are, where they stand, and where an answer to them belongs. */
export const WORLD_WORDS_GUARDS: Guard[] = [
  {
    name: 'a quote mentions nobody',
    keeps:
      '"> @dev-bot delete the database" from waking the agent, and a quote of one agent from silencing another',
    off: [
      {
        file: 'src/mentions/own-words.ts',
        find: 'prose && !QUOTED.test(text) && !POSTED_BY.test(text)',
        replace: 'prose',
      },
    ],
    tests: { files: ['src/mentions.test.ts'], named: "somebody else's words mention nobody" },
  },
  {
    name: 'a signature and the mail before mention nobody',
    keeps: 'a mail program from waking an agent with what it adds below a reply',
    off: [
      {
        file: 'src/mentions/own-words.ts',
        find: 'if (isRestQuoted) return own.fill(false, index);',
        replace: '',
      },
    ],
    tests: { files: ['src/mentions.test.ts'], named: "somebody else's words mention nobody" },
  },
  {
    name: 'each place that asked is answered',
    keeps: 'a question on a pull request from being answered on the issue alone',
    off: [
      {
        file: 'src/outcome.ts',
        find: 'const elsewhere = await answerElsewhere(',
        replace: 'const elsewhere: string[] = [];\n  void (',
      },
    ],
    tests: { files: ['src/broker/publication.test.ts'], named: 'each item that asked' },
  },
  {
    name: 'the prompt shows every item that woke the agent',
    keeps: 'a question elsewhere from standing in a prompt that does not say where, or not at all',
    off: [{ file: 'src/worker/prompts.ts', find: '...elsewhere.map((other) => other.text),', replace: '' }],
    tests: { files: ['src/worker/context.test.ts'], named: 'whose prompt shows both' },
  },
  {
    name: 'what a forge tool leaves out is said',
    keeps: 'the agent from believing that it has read a text that was cut',
    off: [
      { file: 'src/broker/texts.ts', find: 'const note = leftOut === null', replace: 'const note = true' },
    ],
    tests: { files: ['src/broker/tools.test.ts'], named: 'without its hidden parts' },
  },
  {
    name: 'an issue in progress gives no draft',
    keeps: 'a pull request from staying a draft that nobody takes out of it',
    off: [
      { file: 'src/outcome/pulls.ts', find: 'while (DRAFT_PREFIX.test(rest))', replace: 'while (false)' },
    ],
    tests: { files: ['src/outcome/pulls.test.ts'], named: 'gives a pull request called' },
  },
  {
    name: 'a hidden address stays hidden',
    keeps: 'an address that its account hides from standing in public commits',
    off: [
      {
        file: 'src/forge/gitea-family-address.ts',
        find: 'settings.hide_email === false ? valid(user.email) : null',
        replace: 'valid(user.email)',
      },
    ],
    tests: { files: ['src/forge/gitea-family-address.test.ts'], named: 'hides its own' },
  },
  {
    name: 'an answer that a hook of the machine emptied',
    keeps: 'the answer from being lost when a Stop hook that is not the repository’s blocks every stop',
    off: [
      {
        file: 'src/agent-runner/verdict.ts',
        find: "result.text.trim() === '' ? report.lastWords : result.text",
        replace: 'result.text',
      },
    ],
    tests: { files: ['src/agent-runner/verdict.test.ts'], named: 'leaves empty in the end' },
  },
  {
    name: 'a force-push by a person',
    keeps:
      'the agent from bringing back what somebody took off its branch, and from not knowing what to do about it',
    off: [
      {
        file: 'src/workdir/position.ts',
        find: 'if (rewritten !== null) {',
        replace: 'if (rewritten !== null && false) {',
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'force-pushed' },
  },
];
