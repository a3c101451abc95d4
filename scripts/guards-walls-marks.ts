/** The guards of "has read strangers' words", for scripts/guards.ts. */
import type { Guard } from './guards.ts';

const RED_TEAM = ['test/red-team/marks.test.ts'];
const WALK = ['src/worker/marks-walk.test.ts'];
const MARKS = ['src/sessions/marks.test.ts'];
const STEERING = ['src/steering.test.ts'];

export const WALLS_MARKS_GUARDS: Guard[] = [
  {
    name: 'marks: kept with the session',
    keeps: 'words that were deleted on the forge from being forgotten by the next run',
    off: [
      {
        file: 'src/worker/session-marks.ts',
        find: 'await markSession(tx, { session, dispatchId: lease.dispatch.id, source, words, now });',
        replace: 'await markSession(tx, { session, dispatchId: lease.dispatch.id, source, words: [], now });',
      },
    ],
    tests: { files: RED_TEAM, named: 'deleted before' },
  },
  {
    name: 'marks: go on in the session that follows',
    keeps: 'a session that was rebuilt, or started over, from being free with the words in it',
    off: [
      {
        file: 'src/sessions.ts',
        find: '    await inheritMarks(tx, proposal.follows.id, session.id);\n',
        replace: '',
      },
    ],
    tests: { files: MARKS, named: 'follows' },
  },
  {
    name: 'marks: what a tool shows',
    keeps: 'a tool from showing strangers’ words to a session that stays free',
    off: [
      {
        file: 'src/broker/call.ts',
        find: '      await broker.deps.marks.show(sourceOf(tool), words);\n',
        replace: '',
      },
    ],
    tests: { files: WALK, named: 'read_item|list_|read_ci_log' },
  },
  {
    name: 'marks: what a refusal quotes',
    keeps: 'names that a stranger chose from coming in as a reason for a refusal',
    off: [
      {
        file: 'src/broker/call.ts',
        find: "if (!quotes || typeof input.number !== 'number') return verdict;",
        replace: 'if (quotes || !quotes) return verdict;',
      },
    ],
    tests: { files: WALK, named: 'merge' },
  },
  {
    name: 'marks: what a prompt shows',
    keeps: 'the texts of a prompt from being read without a mark',
    off: [
      {
        file: 'src/worker/prompt-words.ts',
        find: '...comments.flatMap(({ id, author: by',
        replace: '...comments.slice(0, 0).flatMap(({ id, author: by',
      },
    ],
    tests: { files: WALK, named: 'each alone' },
  },
  {
    name: 'marks: commits of a fork',
    keeps: 'files, branch names and CI of a stranger’s commits from being read without a mark',
    off: [
      {
        file: 'src/broker/spoken.ts',
        find: '  if (!pull.fork) return [{ ...about, author }];\n',
        replace: '  if (pull !== null) return [];\n',
      },
    ],
    tests: { files: WALK, named: 'each alone|checkout counts' },
  },
  {
    name: 'marks: logs of anybody’s jobs',
    keeps: 'the log of a job from counting as ours because it could be read',
    off: [
      {
        file: 'src/broker/tools-ci.ts',
        find: "  return [{ ...ANYBODY, place: `log of CI job ${jobId}`, text: '' }];",
        replace: '  return [];',
      },
    ],
    tests: { files: RED_TEAM, named: 'the log of a CI job' },
  },
  {
    name: 'marks: our own accounts',
    keeps: 'strangers’ words from becoming trusted by passing through another agent',
    off: [
      {
        file: 'src/worker/session-marks.ts',
        find: '      if (source !== null) words.push({ author: source, place, text: await asShown(text) });\n',
        replace: '',
      },
    ],
    tests: { files: WALK, named: 'our own agents' },
  },
  {
    name: 'marks: a lift counts for what was there',
    keeps: 'a person’s word about yesterday’s comments from covering today’s',
    off: [
      {
        file: 'src/sessions/marks.ts',
        find: "    digest: createHash('sha256').update(text).digest('hex'),",
        replace: "    digest: createHash('sha256').update('').digest('hex'),",
      },
    ],
    tests: { files: MARKS, named: 'one text is one mark' },
  },
  {
    name: 'marks: heads of pull requests',
    keeps: 'a session from fetching a stranger’s commits that another conversation looks at',
    off: [
      {
        file: 'src/workdir/mirror.ts',
        find: 'hideRefs = refs/claude-hooks\\n\\thideRefs = refs/pull\\n',
        replace: 'hideRefs = refs/none\\n',
      },
    ],
    tests: { files: ['src/workdir/hidden-pulls.test.ts'], named: 'no other conversation' },
  },
  {
    name: 'steering: put back before the next run',
    keeps: 'a marked run from leaving instructions for later ones in files',
    off: [
      {
        file: 'src/worker/dispatch.ts',
        find: '  await putBack(work, deps);\n',
        replace: '',
      },
    ],
    tests: { files: RED_TEAM, named: 'bubblewrap.*are not' },
  },
  {
    name: 'steering: kept before the words are handed over',
    keeps: 'a run that is marked in mid-run from writing what it read into files for later ones',
    off: [
      {
        file: 'src/worker/session-marks.ts',
        find: '    if (restriction !== null) await request.onMarked();\n',
        replace: '',
      },
    ],
    tests: { files: RED_TEAM, named: 'mid-run' },
  },
  {
    name: 'steering: the CLI’s folder is read-only',
    keeps: 'a marked run from writing memory and settings of the CLI',
    off: [
      {
        file: 'src/container/place.ts',
        find: "mount(join(folders.config, path), join(target, path), 'read')",
        replace: "mount(join(folders.config, path), join(target, path), 'write')",
      },
    ],
    tests: { files: RED_TEAM, named: 'bubblewrap.*are not' },
  },
  {
    name: 'steering: the CLI’s own tools',
    keeps: 'a marked run from editing what steers later runs',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: "    if (refusal !== null) return decided('deny', refusal);\n",
        replace: '',
      },
    ],
    tests: { files: RED_TEAM, named: 'process.*are not' },
  },
  {
    name: 'steering: imports and links',
    keeps: 'a marked run from writing a file that instructions read with them',
    off: [
      {
        file: 'src/steering/survey.ts',
        find: '    found.further.push(...more);\n',
        replace: '',
      },
    ],
    tests: { files: STEERING, named: 'import' },
  },
  {
    name: 'steering: pushes of a marked session',
    keeps: 'instructions that a marked session wrote from reaching the forge',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: '    refuseSteering(policy.marked(), facts, policy.base) ??\n',
        replace: '',
      },
    ],
    tests: { files: ['src/broker/marked-push.test.ts'] },
  },
];
