/** The guards of the forge tools. */
import type { Guard } from './guard.ts';

const CALLS = 'src/broker/calls.test.ts';
const TOOLS = 'src/broker/tools.test.ts';

export const BROKER_GUARDS: Guard[] = [
  {
    name: 'tool scope',
    keeps: 'an agent from writing to an item that is not of its conversation',
    off: [{ mark: 'tool scope', lines: 1, becomes: 'if (!isWide && (await scope.items()).includes(-1)) {' }],
    tests: { files: [TOOLS], named: 'limits' },
  },
  {
    name: 'tool restriction',
    keeps: 'text of strangers from making an agent do more than read and comment',
    off: [
      { mark: 'tool restriction', lines: 1, becomes: 'if (restriction === "never" && !tool.harmless) {' },
    ],
    tests: { files: [TOOLS], named: 'strangers' },
  },
  {
    name: 'tool call key',
    keeps: 'a call that is repeated from being done twice',
    off: [
      {
        mark: 'tool call key',
        becomes: 'const key = effectKey(effect.dispatchId, `${effect.kind} ${randomUUID()}`);',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'tool call repeated under a new id',
    keeps: 'a comment whose answer was lost from being posted again by the model',
    off: [
      {
        mark: 'tool call repeated under a new id',
        becomes: 'stored === null && tool.name === "none" ? earlierCall(calls, asked) : null;',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'forged replay',
    keeps: 'another input from being answered under the id of an earlier call',
    off: [{ mark: 'forged replay', becomes: 'return false;' }],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'tool mentions',
    keeps: 'what an agent writes from calling people and other agents',
    off: [
      {
        mark: 'tool mentions',
        becomes: "const parts = splitMarkdown(text === '' ? neutraliseMentions(text) : text);",
      },
    ],
    tests: { files: [TOOLS], named: 'mentions' },
  },
  {
    name: 'copied marks',
    keeps: 'a mark that a model copied from passing for an effect of ours',
    off: [{ mark: 'copied marks', becomes: 'return cleaned;' }],
    tests: { files: [TOOLS], named: 'mentions' },
  },
  {
    name: 'write counter',
    keeps: 'one run from flooding a repository',
    off: [
      {
        mark: 'write counter',
        lines: 1,
        becomes: 'if (isNew && calls.length >= Infinity) return denied(tooMany(scope));',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'marks by our account',
    keeps: 'a stranger’s copy of a mark from standing in for a comment of ours',
    off: [
      {
        mark: 'marks by our account',
        becomes: 'const ours = comments.find((comment) => comment.body.includes(mark));',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'veto',
    keeps: 'a merge over somebody’s outstanding request for changes',
    off: [{ mark: 'veto', becomes: 'if (vetoes.length >= 0) return;' }],
    tests: { files: ['src/broker/merge.test.ts'] },
  },
  {
    name: 'pending is no verdict',
    keeps: 'a merge while CI is still running',
    off: [{ mark: 'pending is no verdict', lines: 1, becomes: 'if (state === null) {' }],
    tests: { files: ['src/broker/merge.test.ts'] },
  },
  {
    name: 'permission in doubt',
    keeps: 'a member of a reading team from passing for a writer',
    off: [{ mark: 'permission in doubt', becomes: "return 'write';" }],
    tests: { files: ['src/forges/gitea/access.test.ts'], named: 'organization' },
  },
];
