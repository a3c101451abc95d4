import type { Guard } from './guard.ts';

/** What reaches a run that is under way, what it leaves behind, and what wakes a conversation later. */
export const STEERING_GUARDS: Guard[] = [
  {
    name: 'background: waited for',
    keeps: 'the first words of a run from being posted while its subagent still works',
    off: [{ mark: 'background: waited for', becomes: "return 'over';" }],
    tests: { files: ['src/agent-runner/turns.test.ts'] },
  },
  {
    name: 'background: the last answer is the answer',
    keeps:
      'an answer that work in the background has replaced from being posted, and one to somebody else from being lost',
    off: [
      {
        mark: 'background: the last answer is the answer',
        becomes: 'const asked: CliResult[] = results.slice(0, 0);',
      },
    ],
    tests: { files: ['src/agent-runner/ending.test.ts'] },
  },
  {
    name: 'background: its bound',
    keeps: 'a command left in the background from pinning a slot',
    off: [{ mark: 'background: its bound', lines: 1, becomes: '' }],
    tests: { files: ['test/service.test.ts'], named: 'left in the background' },
  },
  {
    name: 'background: what was cut is said',
    keeps: 'an answer from passing for whole when work was cut',
    off: [{ mark: 'background: what was cut is said', becomes: '' }],
    tests: { files: ['test/service.test.ts'], named: 'left in the background' },
  },
  {
    name: 'steering: no dispatch without a message',
    keeps: 'words that a run has read from starting a dispatch that has nothing to do',
    off: [{ mark: 'steering: no dispatch without a message', becomes: ".where('id', '=', '')" }],
    tests: { files: ['src/mailbox/handing.test.ts'] },
  },
  {
    name: 'steering: what was not read waits',
    keeps: 'words that came when the run was over from being lost',
    off: [
      {
        mark: 'steering: what was not read waits',
        becomes: 'return { read: all, unread: first > all.length ? all : [] };',
      },
    ],
    tests: { files: ['src/dispatch/converse/steer.test.ts'] },
  },
  {
    name: 'steering: words mark the session before they are handed over',
    keeps: 'a stranger’s words from reaching a run without a mark',
    off: [{ mark: 'steering: words mark the session before they are handed over', becomes: '' }],
    tests: { files: ['test/steering.test.ts'], named: '30 comments' },
  },
  {
    name: 'steering: what was said by command is in the prompt',
    keeps: 'a word by command from being lost behind a skill that does not know it',
    off: [{ mark: 'steering: what was said by command is in the prompt', becomes: '' }],
    tests: { files: ['src/dispatch/converse/own-skill.test.ts'] },
  },
  {
    name: 'timers: capped',
    keeps: 'an agent from waking itself without end',
    off: [{ mark: 'timers: capped', becomes: '' }],
    tests: { files: ['src/own-events/due-timers.test.ts'] },
  },
  {
    name: 'versions: the news says when they change',
    keeps: 'a model or an instruction from changing in a conversation without a word',
    off: [{ mark: 'versions: the news says when they change', lines: 3, becomes: '' }],
    tests: { files: ['src/dispatch/converse/versions.test.ts'] },
  },
];
