/** Wrong moment and wrong place: withdrawn work, merged and renamed branches, CI before a pull request. */
import type { Guard } from './guard.ts';

const CONTEXT = ['src/dispatch/gather/gather.test.ts'];
const ROUTER = ['src/router.test.ts'];
const CI = ['src/router/ci.test.ts'];

export const PLACE_GUARDS: Guard[] = [
  {
    name: 'withdrawn: in mid-run',
    keeps: 'a run from going on after its issue was closed',
    off: [{ mark: 'withdrawn: in mid-run', becomes: '' }],
    tests: { files: CONTEXT, named: 'in mid-run aborts it' },
  },
  {
    name: 'withdrawn: before the run',
    keeps: 'a run from beginning for what was closed in the quiet window',
    off: [{ mark: 'withdrawn: before the run', becomes: 'there: compared.there,' }],
    tests: { files: CONTEXT, named: 'before the run is declined' },
  },
  {
    name: 'withdrawn: no other pull request',
    keeps: 'a pull request that a person closed from being answered with a new one',
    off: [{ mark: 'withdrawn: no other pull request', lines: 1, becomes: "if (unwanted === '') {" }],
    tests: { files: ['src/broker/publication.test.ts'], named: 'no other pull request' },
  },
  {
    name: 'ci: closed items',
    keeps: 'CI from waking agents on closed items',
    off: [
      {
        mark: 'ci: closed items',
        becomes:
          'return item?.number === -1 ? `#${number} is closed, and what CI says of it wakes nobody` : null;',
      },
    ],
    tests: { files: ROUTER, named: 'wakes nobody on what is closed' },
  },
  {
    name: 'ci: told once',
    keeps: 'one failing run from being several messages',
    off: [{ mark: 'ci: told once', becomes: '' }],
    tests: { files: ROUTER, named: 'reaches the conversation that pushed' },
  },
  {
    name: 'ci: before the pull request',
    keeps: 'a failure from being lost because no pull request shows the commit yet',
    off: [
      { mark: 'ci: before the pull request', becomes: 'const found = isJoined ? pull : (pull ?? null);' },
    ],
    tests: { files: ROUTER, named: 'reaches the conversation that pushed' },
  },
  {
    name: 'withdrawn: by label',
    keeps: 'a run from going on after the label that woke it was taken off',
    off: [{ mark: 'withdrawn: by label', becomes: "if (last?.kind !== 'labeled') return null;" }],
    tests: { files: CONTEXT, named: 'by taking the label off' },
  },
  {
    name: 'withdrawn: by request',
    keeps: 'a run from going on after nobody wants its review any more',
    off: [{ mark: 'withdrawn: by request', becomes: "if (last?.kind !== 'requested') return null;" }],
    tests: { files: CONTEXT, named: 'by no longer asking for the review' },
  },
  {
    name: 'withdrawn: with a short grace',
    keeps: 'a tool that does not listen from holding up the end of a withdrawn run beyond two seconds',
    off: [{ mark: 'withdrawn: with a short grace', becomes: 'stopping ??= container.stop();' }],
    tests: { files: ['src/agent-runner/run-cli.test.ts'], named: 'does not heed it' },
  },
  {
    name: 'ci: other checks',
    keeps: 'a failure of CI from waking the agent while other checks of the commit still run',
    off: [{ mark: 'ci: other checks', becomes: 'if (running !== undefined) return null;' }],
    tests: { files: CONTEXT, named: 'waits while other checks' },
  },
  {
    name: 'ci: look at the new pull request',
    keeps: 'a failure that nobody told before the pull request was opened from staying untold',
    off: [{ mark: 'ci: look at the new pull request', becomes: '' }],
    tests: { files: CI, named: 'becomes one message' },
  },
  {
    name: 'ci: look for our deliveries',
    keeps: 'a pull request that we opened from being looked at only where the publication could say so',
    off: [{ mark: 'ci: look for our deliveries', becomes: 'return isJoined ? null : null;' }],
    tests: { files: CI, named: 'for the delivery of our own pull request' },
  },
  {
    name: 'ci: looked up, and told before',
    keeps:
      'a failure that a run has dealt with from being told again because its pull request was opened after it',
    off: [
      {
        mark: 'ci: looked up, and told before',
        becomes: "return state !== 'answered' || at <= Number(began ?? 0);",
      },
    ],
    tests: { files: CI, named: 'is no second message where the delivery was placed' },
  },
  {
    name: 'ci: before it has joined',
    keeps: 'a failure on a pull request that is being opened from beginning a conversation of its own',
    off: [{ mark: 'ci: before it has joined', becomes: 'const isJoined = pull !== undefined;' }],
    tests: { files: CI, named: 'before that has joined' },
  },
  {
    name: 'doctor: hooks without statuses',
    keeps: 'a hook of Gitea that misses the failures of some workflows from looking healthy',
    off: [
      {
        mark: 'doctor: hooks without statuses',
        becomes: "if (kind === 'gitea' || !isWhole || !event.startsWith('ci.')) return null;",
      },
    ],
    tests: { files: ['src/checks/hooks.test.ts'], named: 'statuses of CI' },
  },
  {
    name: 'ci: cancelled',
    keeps: 'a run that a person cancelled from being a failure',
    off: [
      {
        mark: 'ci: cancelled',
        becomes:
          "if (payload.id === -1) return ignored('status: the run was cancelled, which Gitea calls a failure');",
      },
    ],
    tests: { files: ['src/forges/gitea/delivery.test.ts'] },
  },
  {
    name: 'branches: changed base',
    keeps: 'a second pull request of the same branch from being opened because the base was changed',
    off: [
      {
        mark: 'branches: changed base',
        becomes: 'return own.find(intoBase) ?? pulls.find(intoBase) ?? null;',
      },
    ],
    tests: { files: ['src/outcome/pulls.test.ts'] },
  },
  {
    name: 'branches: after a merge',
    keeps: 'work from being built on a branch that was merged and deleted',
    off: [{ mark: 'branches: after a merge', becomes: 'const last = `${number}`;' }],
    tests: { files: CONTEXT, named: 'on a branch of a new name' },
  },
  {
    name: 'branches: name taken',
    keeps: 'a branch called like the prefix from blocking every push',
    off: [
      {
        mark: 'branches: name taken',
        becomes: 'if (blocking !== undefined) return { branch: name, blockedBy };',
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'has another name' },
  },
  {
    name: 'renames: by the id',
    keeps: 'work from going to whatever has the old name of a renamed repository',
    off: [{ mark: 'renames: by the id', becomes: 'return known;' }],
    tests: { files: CONTEXT, named: 'goes by its id' },
  },
];
