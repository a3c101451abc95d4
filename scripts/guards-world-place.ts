/** Wrong moment and wrong place: withdrawn work, merged and renamed branches, CI before a pull request. */
import type { Guard } from './guards.ts';

const WITHDRAWN = ['test/withdrawn.test.ts'];
const BRANCHES = ['test/branches.test.ts'];
const DISPATCHER = ['src/dispatcher.test.ts'];

export const WORLD_PLACE_GUARDS: Guard[] = [
  {
    name: 'withdrawn: in mid-run',
    keeps: 'a run from going on after its issue was closed',
    off: [{ file: 'src/worker/recall.ts', find: 'recalled.abort(reason);', replace: '' }],
    tests: { files: WITHDRAWN, named: 'a closed issue stops the run' },
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
    tests: { files: WITHDRAWN, named: 'is not opened again' },
  },
  {
    name: 'withdrawn: no other pull request',
    keeps: 'a pull request that a person closed from being answered with a new one',
    off: [{ file: 'src/outcome.ts', find: 'if (unwanted !== null) {', replace: "if (unwanted === '') {" }],
    tests: { files: WITHDRAWN, named: 'is not opened again' },
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
    tests: { files: BRANCHES, named: 'is called otherwise' },
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
    tests: { files: BRANCHES, named: 'is called otherwise' },
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
    tests: { files: BRANCHES, named: 'gets the work' },
  },
];
