/** Wrong moment and wrong place: withdrawn work, merged and renamed branches, CI before a pull request. */
import type { Guard } from './guards.ts';

const CONTEXT = ['src/worker/context.test.ts'];
const DISPATCHER = ['src/dispatcher.test.ts'];
const CI = ['src/dispatcher/ci.test.ts'];

export const WORLD_PLACE_GUARDS: Guard[] = [
  {
    name: 'withdrawn: in mid-run',
    keeps: 'a run from going on after its issue was closed',
    off: [{ file: 'src/worker/recall.ts', find: 'recalled.abort(reason);', replace: '' }],
    tests: { files: CONTEXT, named: 'in mid-run aborts it' },
  },
  {
    name: 'withdrawn: before the run',
    keeps: 'a run from beginning for what was closed in the quiet window',
    off: [
      {
        file: 'src/worker/context.ts',
        find: 'there: compared.there.filter(({ id }) => !withdrawn.has(id)),',
        replace: 'there: compared.there,',
      },
    ],
    tests: { files: CONTEXT, named: 'before the run is declined' },
  },
  {
    name: 'withdrawn: no other pull request',
    keeps: 'a pull request that a person closed from being answered with a new one',
    off: [{ file: 'src/outcome.ts', find: 'if (unwanted !== null) {', replace: "if (unwanted === '') {" }],
    tests: { files: ['src/broker/publication.test.ts'], named: 'no other pull request' },
  },
  {
    name: 'ci: closed items',
    keeps: 'CI from waking agents on closed items',
    off: [
      {
        file: 'src/dispatcher/facts.ts',
        find: "return item?.state === 'closed' ?",
        replace: 'return item?.number === -1 ?',
      },
    ],
    tests: { files: DISPATCHER, named: 'wakes nobody on what is closed' },
  },
  {
    name: 'ci: told once',
    keeps: 'one failing run from being several messages',
    off: [{ file: 'src/dispatcher/decide.ts', find: 'if (isTold) return null;', replace: '' }],
    tests: { files: DISPATCHER, named: 'reaches the conversation that pushed' },
  },
  {
    name: 'ci: before the pull request',
    keeps: 'a failure from being lost because no pull request shows the commit yet',
    off: [
      {
        file: 'src/dispatcher/items.ts',
        find: '((await placeByPush(rows, event, event.ci.headSha)) ?? pull ?? null)',
        replace: '(pull ?? null)',
      },
    ],
    tests: { files: DISPATCHER, named: 'reaches the conversation that pushed' },
  },
  {
    name: 'withdrawn: by label',
    keeps: 'a run from going on after the label that woke it was taken off',
    off: [
      {
        file: 'src/worker/withdrawn.ts',
        find: "if (last?.kind !== 'unlabeled') return null;",
        replace: "if (last?.kind !== 'labeled') return null;",
      },
    ],
    tests: { files: CONTEXT, named: 'by taking the label off' },
  },
  {
    name: 'withdrawn: by request',
    keeps: 'a run from going on after nobody wants its review any more',
    off: [
      {
        file: 'src/worker/withdrawn.ts',
        find: "if (last?.kind !== 'withdrawn') return null;",
        replace: "if (last?.kind !== 'requested') return null;",
      },
    ],
    tests: { files: CONTEXT, named: 'by no longer asking for the review' },
  },
  {
    name: 'withdrawn: with a short grace',
    keeps: 'a tool that does not listen from holding up the end of a withdrawn run beyond two seconds',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: 'container.stop(signal.aborted ? ABORT_GRACE_MS : undefined)',
        replace: 'container.stop()',
      },
    ],
    tests: { files: ['src/agent-runner/run-cli.test.ts'], named: 'does not heed it' },
  },
  {
    name: 'ci: other checks',
    keeps: 'a failure of CI from waking the agent while other checks of the commit still run',
    off: [
      {
        file: 'src/worker/ci-messages.ts',
        find: 'if (running !== true) return null;',
        replace: 'if (running !== undefined) return null;',
      },
    ],
    tests: { files: CONTEXT, named: 'waits while other checks' },
  },
  {
    name: 'ci: look at the new pull request',
    keeps: 'a failure that nobody told before the pull request was opened from staying untold',
    off: [
      {
        file: 'src/outcome/pulls.ts',
        find: '    await planLook(tx, { ...pull, cause: conversationId, now: deps.now() });\n',
        replace: '',
      },
    ],
    tests: { files: CI, named: 'becomes one message' },
  },
  {
    name: 'ci: look for our deliveries',
    keeps: 'a pull request that we opened from being looked at only where the publication could say so',
    off: [
      {
        file: 'src/dispatcher/decide.ts',
        find: '  await lookAtNewPull(tx, { deps, delivery, facts });\n',
        replace: '',
      },
    ],
    tests: { files: CI, named: 'for the delivery of our own pull request' },
  },
  {
    name: 'ci: looked up, and told before',
    keeps:
      'a failure that a run has dealt with from being told again because its pull request was opened after it',
    off: [{ file: 'src/mailbox/messages.ts', find: 'return isLook || state', replace: 'return state' }],
    tests: { files: CI, named: 'is no second message where the delivery was placed' },
  },
  {
    name: 'ci: before it has joined',
    keeps: 'a failure on a pull request that is being opened from beginning a conversation of its own',
    off: [
      {
        file: 'src/dispatcher/items.ts',
        find: 'const isJoined = pull !== undefined && pull.conversation_id !== null;',
        replace: 'const isJoined = pull !== undefined;',
      },
    ],
    tests: { files: CI, named: 'before that has joined' },
  },
  {
    name: 'doctor: hooks without statuses',
    keeps: 'a hook of Gitea that misses the failures of some workflows from looking healthy',
    off: [
      {
        file: 'src/doctor/hook-events.ts',
        find: "if (forge.kind !== 'gitea' || !isWhole) return [];",
        replace: "if (forge.kind === 'gitea' || !isWhole) return [];",
      },
    ],
    tests: { files: ['src/doctor/hooks.test.ts'], named: 'statuses of CI' },
  },
  {
    name: 'ci: cancelled',
    keeps: 'a run that a person cancelled from being a failure',
    off: [
      {
        file: 'src/forge/gitea-family-ci.ts',
        find: 'if (isCancellation(payload)) return',
        replace: 'if (payload.id === -1) return',
      },
    ],
    tests: { files: ['src/forge/gitea-family.test.ts'] },
  },
  {
    name: 'branches: changed base',
    keeps: 'a second pull request of the same branch from being opened because the base was changed',
    off: [
      {
        file: 'src/outcome/pulls.ts',
        find: 'own.find(intoBase) ?? own[0] ??',
        replace: 'own.find(intoBase) ??',
      },
    ],
    tests: { files: ['src/outcome/pulls.test.ts'] },
  },
  {
    name: 'branches: after a merge',
    keeps: 'work from being built on a branch that was merged and deleted',
    off: [
      {
        file: 'src/worker/where.ts',
        find: 'rounds === 0 ? `${number}` : `${number}-${rounds + 1}`',
        replace: '`${number}`',
      },
    ],
    tests: { files: CONTEXT, named: 'on a branch of a new name' },
  },
  {
    name: 'branches: name taken',
    keeps: 'a branch called like the prefix from blocking every push',
    off: [
      {
        file: 'src/workdir/target.ts',
        find: 'if (blocking === null) return',
        replace: 'if (blocking !== undefined) return',
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'has another name' },
  },
  {
    name: 'renames: by the id',
    keeps: 'work from going to whatever has the old name of a renamed repository',
    off: [
      {
        file: 'src/worker/present-name.ts',
        find: 'return { ...known, fullName };',
        replace: 'return known;',
      },
    ],
    tests: { files: CONTEXT, named: 'goes by its id' },
  },
];
