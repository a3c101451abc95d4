/** The guards of "has read strangers' words", for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const RED_TEAM = ['test/red-team/marks.test.ts'];
const WALK = ['src/dispatch/converse/marks-walk.test.ts'];
const MARKS = ['src/sessions/marks.test.ts'];
const STEERING = ['src/steering.test.ts'];

export const MARKS_AND_MERGES_GUARDS: Guard[] = [
  {
    name: 'marks: kept with the session',
    keeps: 'words that were deleted on the forge from being forgotten by the next run',
    off: [
      {
        mark: 'marks: kept with the session',
        becomes: 'await markSession(tx, { session, dispatchId: lease.dispatch.id, source, words: [], now });',
      },
    ],
    tests: { files: RED_TEAM, named: 'deleted before' },
  },
  {
    name: 'marks: go on in the session that follows',
    keeps: 'a session that was rebuilt, or started over, from being free with the words in it',
    off: [{ mark: 'marks: go on in the session that follows', becomes: '' }],
    tests: { files: MARKS, named: 'follows' },
  },
  {
    name: 'marks: what a tool shows',
    keeps: 'a tool from showing strangers’ words to a session that stays free',
    off: [{ mark: 'marks: what a tool shows', becomes: '' }],
    tests: { files: WALK, named: 'read_item|list_|read_ci_log' },
  },
  {
    name: 'marks: what a refusal quotes',
    keeps: 'names that a stranger chose from coming in as a reason for a refusal',
    off: [{ mark: 'marks: what a refusal quotes', becomes: 'if (quotes || !quotes) return verdict;' }],
    tests: { files: WALK, named: 'merge' },
  },
  {
    name: 'marks: what a prompt shows',
    keeps: 'the texts of a prompt from being read without a mark',
    off: [
      {
        mark: 'marks: what a prompt shows',
        lines: 1,
        becomes: '...comments.slice(0, 0).flatMap(({ id, author: by, body: text, voice }) =>',
      },
    ],
    tests: { files: WALK, named: 'each alone' },
  },
  {
    name: 'marks: commits of a fork',
    keeps: 'files, branch names and CI of a stranger’s commits from being read without a mark',
    off: [{ mark: 'marks: commits of a fork', becomes: 'if (pull !== null) return [];' }],
    tests: { files: WALK, named: 'each alone|checkout counts' },
  },
  {
    name: 'marks: logs of anybody’s jobs',
    keeps: 'the log of a job from counting as ours because it could be read',
    off: [{ mark: 'marks: logs of anybody’s jobs', becomes: 'return [];' }],
    tests: { files: RED_TEAM, named: 'the log of a CI job' },
  },
  {
    name: 'marks: our own accounts',
    keeps: 'strangers’ words from becoming trusted by passing through another agent',
    off: [{ mark: 'marks: our own accounts', becomes: '' }],
    tests: { files: WALK, named: 'our own agents' },
  },
  {
    name: 'marks: a lift counts for what was there',
    keeps: 'a person’s word about yesterday’s comments from covering today’s',
    off: [
      {
        mark: 'marks: a lift counts for what was there',
        becomes: "digest: createHash('sha256').update('').digest('hex'),",
      },
    ],
    tests: { files: MARKS, named: 'one text is one mark' },
  },
  {
    name: 'marks: heads of pull requests',
    keeps: 'a session from fetching a stranger’s commits that another conversation looks at',
    off: [
      {
        mark: 'marks: heads of pull requests',
        becomes: "'[uploadpack]\\n\\tallowAnySHA1InWant = true\\n\\thideRefs = refs/none\\n';",
      },
    ],
    tests: { files: ['src/workdir/hidden-pulls.test.ts'], named: 'no other conversation' },
  },
  {
    name: 'steering: put back before the next run',
    keeps: 'a marked run from leaving instructions for later ones in files',
    off: [{ mark: 'steering: put back before the next run', becomes: '' }],
    tests: { files: RED_TEAM, named: 'bubblewrap.*are not' },
  },
  {
    name: 'steering: kept before the words are handed over',
    keeps: 'a run that is marked in mid-run from writing what it read into files for later ones',
    off: [{ mark: 'steering: kept before the words are handed over', becomes: '' }],
    tests: { files: RED_TEAM, named: 'mid-run' },
  },
  {
    name: 'steering: the CLI’s folder is read-only',
    keeps: 'a marked run from writing memory and settings of the CLI',
    off: [
      {
        mark: 'steering: the CLI’s folder is read-only',
        becomes: "...closed.map((path) => mount(join(folders.config, path), join(target, path), 'write')),",
      },
    ],
    tests: { files: RED_TEAM, named: 'bubblewrap.*are not' },
  },
  {
    name: 'steering: the CLI’s own tools',
    keeps: 'a marked run from editing what steers later runs',
    off: [{ mark: 'steering: the CLI’s own tools', becomes: '' }],
    tests: { files: RED_TEAM, named: 'process.*are not' },
  },
  {
    name: 'steering: imports and links',
    keeps: 'a marked run from writing a file that instructions read with them',
    off: [{ mark: 'steering: imports and links', becomes: '' }],
    tests: { files: STEERING, named: 'import' },
  },
  {
    name: 'steering: pushes of a marked session',
    keeps: 'instructions that a marked session wrote from reaching the forge',
    off: [{ mark: 'steering: pushes of a marked session', becomes: '' }],
    tests: { files: ['src/broker/marked-push.test.ts'] },
  },
];
