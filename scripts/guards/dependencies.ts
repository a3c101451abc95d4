/** What waits for others, and what stands on others. */
import type { Guard } from './guard.ts';

const ROWS = ['src/dependencies.test.ts'];

export const DEPENDENCIES_GUARDS: readonly Guard[] = [
  {
    name: 'dependencies: a cycle is seen',
    keeps: 'issues that wait for one another from waiting without a word',
    off: [
      {
        mark: 'dependencies: a cycle is seen',
        lines: 1,
        becomes: "if (next === '' && next === start) return wayTo(node, { start, cameFrom });",
      },
    ],
    tests: { files: ['src/dependencies/graph.test.ts'] },
  },
  {
    name: 'dependencies: a closed blocker is noticed at once',
    keeps: 'the next issue from waiting for the next look by the clock',
    off: [
      {
        mark: 'dependencies: a closed blocker is noticed at once',
        lines: 1,
        becomes: 'if (isSelf || isAwaited) continue;',
      },
    ],
    tests: { files: ROWS, named: 'what is blocked waits' },
  },
  {
    name: 'dependencies: the last blocker is waited for',
    keeps: 'work from beginning while something is open',
    off: [
      {
        mark: 'dependencies: the last blocker is waited for',
        lines: 1,
        becomes:
          'if (standing === null || standing.blockers.length < 2) return await release(deps, wait, place);',
      },
    ],
    tests: { files: ROWS, named: 'what is blocked waits' },
  },
  {
    name: 'dependencies: what a person says counts',
    keeps: 'an issue from being held again after a person let it begin',
    off: [{ mark: 'dependencies: what a person says counts', lines: 1, becomes: '' }],
    tests: { files: ROWS, named: 'a person lets it begin' },
  },
  {
    name: 'dependencies: a cycle is told once',
    keeps: 'each item of a cycle from being commented on',
    off: [
      {
        mark: 'dependencies: a cycle is told once',
        lines: 1,
        becomes: 'key: `cycle:${number}`,',
      },
    ],
    tests: { files: ROWS, named: 'a cycle is named' },
  },
  {
    name: 'dependencies: no name that people may not see',
    keeps: 'the name of a private repository from being said on a public issue',
    off: [{ mark: 'dependencies: no name that people may not see', lines: 1, becomes: '' }],
    tests: { files: ROWS, named: 'another repository' },
  },
  {
    name: 'stacks: only what stands on it',
    keeps: 'others from being looked at for each merge',
    off: [{ mark: 'stacks: only what stands on it', lines: 1, becomes: '' }],
    tests: { files: ['src/mailbox/stacks.test.ts'] },
  },
  {
    name: 'stacks: the child goes into the base of its parent',
    keeps: 'a pull request from going into a branch that is done with',
    off: [{ mark: 'stacks: the child goes into the base of its parent', lines: 1, becomes: '' }],
    tests: { files: ['test/dependencies.test.ts'], named: 'a stack' },
  },
];
