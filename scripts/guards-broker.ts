/** The guards of the forge tools. */
import type { Guard } from './guards.ts';

const CALLS = 'src/broker/calls.test.ts';
const TOOLS = 'src/broker/tools.test.ts';

export const BROKER_GUARDS: Guard[] = [
  {
    name: 'tool scope',
    keeps: 'an agent from writing to an item that is not of its conversation',
    off: [
      {
        file: 'src/broker/call.ts',
        find: '!(await scope.items()).includes(target!)',
        replace: '(await scope.items()).includes(-1)',
      },
    ],
    tests: { files: [TOOLS], named: 'limits' },
  },
  {
    name: 'tool restriction',
    keeps: 'text of strangers from making an agent do more than read and comment',
    off: [
      {
        file: 'src/broker/call.ts',
        find: 'if (restriction !== null && !tool.harmless) {',
        replace: 'if (restriction === "never" && !tool.harmless) {',
      },
    ],
    tests: { files: [TOOLS], named: 'strangers' },
  },
  {
    name: 'tool call key',
    keeps: 'a call that is repeated from being done twice',
    off: [
      {
        file: 'src/outcome/effects.ts',
        find: 'effectKey(effect.dispatchId, effect.id ?? effect.kind)',
        replace: 'effectKey(effect.dispatchId, `${effect.kind} ${randomUUID()}`)',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'tool call repeated under a new id',
    keeps: 'a comment whose answer was lost from being posted again by the model',
    off: [
      {
        file: 'src/broker/call.ts',
        find: 'stored === null && tool.leavesMark ? await',
        replace: 'stored === null && tool.name === "none" ? await',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'forged replay',
    keeps: 'another input from being answered under the id of an earlier call',
    off: [
      {
        file: 'src/outcome/effects.ts',
        find: 'return effect.id !== undefined && row.request !== JSON.stringify(effect.request);',
        replace: 'return false;',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'tool mentions',
    keeps: 'what an agent writes from calling people and other agents',
    off: [
      {
        file: 'src/security/outgoing.ts',
        find: 'splitMarkdown(neutraliseMentions(text))',
        replace: "splitMarkdown(text === '' ? neutraliseMentions(text) : text)",
      },
    ],
    tests: { files: [TOOLS], named: 'mentions' },
  },
  {
    name: 'copied marks',
    keeps: 'a mark that a model copied from passing for an effect of ours',
    off: [
      {
        file: 'src/outcome/answer.ts',
        find: 'if (cleaned === before) return cleaned;',
        replace: 'return cleaned;',
      },
    ],
    tests: { files: [TOOLS], named: 'mentions' },
  },
  {
    name: 'write counter',
    keeps: 'one run from flooding a repository',
    off: [
      {
        file: 'src/broker/call.ts',
        find: '(await countWrites(deps, scope.dispatchId)) >= scope.maxWrites',
        replace: '(await countWrites(deps, scope.dispatchId)) >= Infinity',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'marks by our account',
    keeps: 'a stranger’s copy of a mark from standing in for a comment of ours',
    off: [
      {
        file: 'src/broker/tools-comment.ts',
        find: 'comment.author.id === id && comment.body.includes(mark)',
        replace: 'comment.body.includes(mark)',
      },
    ],
    tests: { files: [CALLS], named: 'SQLite' },
  },
  {
    name: 'veto',
    keeps: 'a merge over somebody’s outstanding request for changes',
    off: [
      {
        file: 'src/broker/tools-merge.ts',
        find: 'if (vetoes.length === 0) return;',
        replace: 'if (vetoes.length >= 0) return;',
      },
    ],
    tests: { files: ['src/broker/merge.test.ts'] },
  },
  {
    name: 'pending is no verdict',
    keeps: 'a merge while CI is still running',
    off: [
      {
        file: 'src/broker/tools-merge.ts',
        find: "if (state === 'pending') {",
        replace: 'if (state === null) {',
      },
    ],
    tests: { files: ['src/broker/merge.test.ts'] },
  },
  {
    name: 'permission in doubt',
    keeps: 'a member of a reading team from passing for a writer',
    off: [
      {
        file: 'src/forge/gitea-family-access.ts',
        find: "return isMember === false ? 'write' : 'unknown';",
        replace: "return 'write';",
      },
    ],
    tests: { files: ['src/forge/gitea-family-access.test.ts'], named: 'organization' },
  },
];
