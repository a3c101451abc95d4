/** The guards of "people see what happens, and command where they are", for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const FEEDBACK = 'src/feedback.test.ts';
const COMMANDS = 'src/mailbox/commands.test.ts';
const GIVEN = 'src/router/commands.test.ts';
const GATHER = 'src/dispatch/gather/gather.test.ts';
const REAL = 'test/people-commands.test.ts';

export const PEOPLE_GUARDS: Guard[] = [
  {
    name: 'feedback: looked for before it is posted again',
    keeps: 'a second status comment from being posted after a kill',
    off: [
      {
        mark: 'feedback: looked for before it is posted again',
        becomes: 'const isPerhapsThere = notice.attempts > 1_000_000;',
      },
    ],
    tests: { files: [FEEDBACK], named: 'notice.performed' },
  },
  {
    name: 'feedback: the status comment ends with the dispatch',
    keeps: 'a comment about work from staying when the work is over',
    off: [
      {
        mark: 'feedback: the status comment ends with the dispatch',
        becomes: 'if (work === null) return [];',
      },
    ],
    tests: { files: [FEEDBACK], named: 'the process dies' },
  },
  {
    name: 'feedback: eyes wait for nothing else',
    keeps: 'somebody who asked from looking at nothing while a comment or a status takes long',
    off: [{ mark: 'feedback: eyes wait for nothing else', becomes: 'return forge;' }],
    tests: { files: [FEEDBACK], named: 'eyes wait' },
  },
  {
    name: 'feedback: edits are rare',
    keeps: 'a comment from being edited with every tool call',
    off: [{ mark: 'feedback: edits are rare', becomes: 'if (isSame && now < 0) return [];' }],
    tests: { files: ['src/feedback/wanted.test.ts'], named: 'edited' },
  },
  {
    name: 'feedback: a hold without an end is told at once',
    keeps: 'people from waiting a minute to hear that a spent budget or the loop court holds their agent',
    off: [
      {
        mark: 'feedback: a hold without an end is told at once',
        becomes: '',
      },
    ],
    tests: { files: ['src/feedback/wanted.test.ts'], named: 'at once for a hold' },
  },
  {
    name: 'feedback: a short run has no comment',
    keeps: 'every run from having a comment besides its answer',
    off: [{ mark: 'feedback: a short run has no comment', becomes: 'return now >= from;' }],
    tests: { files: ['src/feedback/wanted.test.ts'], named: 'longer than a minute' },
  },
  {
    name: 'feedback: no commit status is left pending',
    keeps: 'a commit that is no longer the head from waiting for ever',
    off: [
      {
        mark: 'feedback: no commit status is left pending',
        becomes: 'const earlier = notices.filter((one) => one.kind === "status" && one.closed === 7);',
      },
    ],
    tests: { files: ['src/feedback/wanted.test.ts'], named: 'newer commit' },
  },
  {
    name: 'feedback: our status is no CI',
    keeps: 'our own commit status from waking agents, and from being read as a result of CI',
    off: [
      { mark: 'feedback: our status is no CI, part 1', lines: 1, becomes: '...statuses.map((status) => ({' },
      { mark: 'feedback: our status is no CI, part 2', becomes: '' },
    ],
    tests: { files: [FEEDBACK], named: 'the commit status follows' },
  },
  {
    name: 'feedback: a notice wakes nobody',
    keeps: 'a status comment from waking another agent',
    off: [
      {
        mark: 'feedback: a notice wakes nobody',
        becomes: "return comment !== null && hasNoticeMark('') && isOurAccount(forge, ids, comment.author);",
      },
    ],
    tests: { files: [FEEDBACK], named: 'wakes no other agent' },
  },
  {
    name: 'feedback: the nearest setting counts',
    keeps: 'a repository from being shown more, or less, than it asked for',
    off: [
      {
        mark: 'feedback: the nearest setting counts',
        becomes: 'return forge.feedback ?? own?.feedback ?? config.feedback;',
      },
    ],
    tests: { files: ['src/config/feedback.test.ts'] },
  },
  {
    name: 'feedback: strangers cannot flood',
    keeps: 'a stranger from making an agent write on every item of a repository',
    off: [
      {
        mark: 'feedback: strangers cannot flood',
        becomes: 'if ((await countNotices(tx, asked)) < 0) return;',
      },
    ],
    tests: { files: [FEEDBACK], named: 'cannot flood' },
  },
  {
    name: 'feedback: one refusal an item and day',
    keeps: 'a stranger from getting a receipt for every comment',
    off: [
      {
        mark: 'feedback: one refusal an item and day',
        becomes: 'key: `${REFUSAL_PREFIX}${forge}:${event.semanticKey}:${day}`,',
      },
    ],
    tests: { files: [FEEDBACK], named: 'cannot flood' },
  },
  {
    name: 'feedback: agents disclose their work',
    keeps: 'a pull request of an agent from looking like a person’s',
    off: [
      { mark: 'feedback: agents disclose their work, part 1', becomes: 'notes: [],' },
      {
        mark: 'feedback: agents disclose their work, part 2',
        becomes: 'function disclosed(_broker: Broker): string[] {\n  return [];\n}',
      },
    ],
    tests: { files: ['src/broker/publication.test.ts'], named: 'discloses' },
  },
  {
    name: 'commands: quotes and code command nothing',
    keeps: 'a command that somebody quotes from being obeyed',
    off: [
      {
        mark: 'commands: quotes and code command nothing',
        becomes: 'const own = new Set(linesOf(beginning).filter((line) => COMMAND.test(line)));',
      },
    ],
    tests: { files: ['src/router/command-words.test.ts'], named: 'text commands nothing' },
  },
  {
    name: 'commands: no robot commands',
    keeps: 'robots, allowed ones too, from commanding agents',
    off: [
      {
        mark: 'commands: no robot commands',
        becomes: 'if (isPerson(forge, ids, event) && item.number < 0) return null;',
      },
    ],
    tests: { files: [GIVEN], named: 'robots and strangers' },
  },
  {
    name: 'commands: the comment is on the forge',
    keeps: 'a forged delivery from commanding in somebody’s name',
    off: [{ mark: 'commands: the comment is on the forge', becomes: 'if (found === null) return null;' }],
    tests: { files: [GIVEN], named: 'are the forge’s' },
  },
  {
    name: 'commands: a command alone is no message',
    keeps: '`/claude hold` from waking the agent that it holds',
    off: [
      {
        mark: 'commands: a command alone is no message',
        becomes: 'const messages = saysMore || out === null ? plannedMessages(facts, outlook.event) : [];',
      },
    ],
    tests: { files: [GIVEN], named: 'is no message' },
  },
  {
    name: 'commands: done once',
    keeps: 'a command from being done again when its event comes twice',
    off: [
      {
        mark: 'commands: done once',
        becomes: ".onConflict((c) => c.columns(['cause', 'ordinal']).doUpdateSet({ answer: '' }))",
      },
    ],
    tests: { files: [COMMANDS], named: 'the same one is done once' },
  },
  {
    name: 'commands: cancel stops the run',
    keeps: '`/claude cancel` from being read only when the run is over',
    off: [{ mark: 'commands: cancel stops the run', lines: 1, becomes: 'reason = null;' }],
    tests: { files: [GATHER], named: 'by a command aborts it' },
  },
  {
    name: 'commands: cancel outlives a crash',
    keeps: 'a cancelled run from beginning again after its worker died',
    off: [{ mark: 'commands: cancel outlives a crash', becomes: '' }],
    tests: { files: [COMMANDS], named: 'does not begin again' },
  },
  {
    name: 'commands: fresh begins a new session',
    keeps: '`/claude fresh` from being forgotten',
    off: [{ mark: 'commands: fresh begins a new session', becomes: 'policy: agent.resume,' }],
    tests: { files: [REAL] },
  },
  {
    name: 'opt-out: the label keeps agents away',
    keeps: 'an agent from being woken on an item that opted out',
    off: [
      {
        mark: 'opt-out: the label keeps agents away',
        becomes: 'if (label === undefined || label !== "") return null;',
      },
    ],
    tests: { files: [FEEDBACK], named: 'wakes no agent' },
  },
  {
    name: 'opt-out: the file keeps agents away',
    keeps: 'an agent from working in a repository whose default branch says that no agent may',
    off: [{ mark: 'opt-out: the file keeps agents away', becomes: 'if (sha !== null) return null;' }],
    tests: { files: [GATHER], named: 'by a file of its default branch' },
  },
  {
    name: 'opt-out: before the run',
    keeps: 'a run from beginning on an item that opted out since it was asked for',
    off: [{ mark: 'opt-out: before the run', becomes: '' }],
    tests: { files: [GATHER], named: 'by a label that opts out' },
  },
  {
    name: 'opt-out: in mid-run',
    keeps: 'a run from going on after its item opted out',
    off: [{ mark: 'opt-out: in mid-run', becomes: 'const out = item === null ? null : null;' }],
    tests: { files: [GATHER], named: 'by a label that opts out' },
  },
  {
    name: 'inbox: a failure waits for a person',
    keeps: 'what only a person can mend from being the same as idle',
    off: [
      {
        mark: 'inbox: a failure waits for a person',
        becomes:
          'async function settleAsks(_tx: Rows, _lease: Lease, _options: SettleOptions): Promise<void> {\n  void openAsk;\n  void closeAsks;\n}',
      },
    ],
    tests: { files: [COMMANDS, FEEDBACK], named: 'ask' },
  },
  {
    name: 'inbox: a conversation without progress waits for a person',
    keeps: 'somebody from overlooking that an agent gets nowhere',
    off: [{ mark: 'inbox: a conversation without progress waits for a person', becomes: '' }],
    tests: { files: ['src/mailbox/progress.test.ts'], named: 'finds it in the inbox' },
  },
  {
    name: 'inbox: an answer closes what was asked',
    keeps: 'a question from being listed after a person answered it',
    off: [{ mark: 'inbox: an answer closes what was asked', becomes: '' }],
    tests: { files: [FEEDBACK], named: 'is a row of its own' },
  },
];
