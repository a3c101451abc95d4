import type { Guard } from './guards.ts';

/** Against what a layout, an image or a repository could do to a conversation without a word. */
export const LAYOUT_GUARDS: Guard[] = [
  {
    name: 'variables of an image',
    keeps: 'an image from switching the history off, or from sending it elsewhere',
    off: [{ file: 'src/container/oci-arguments.ts', find: '    FORGET_IMAGES,\n', replace: '' }],
    tests: { files: ['test/containers/podman.test.ts'], named: 'sets what the CLI listens to' },
  },
  {
    name: 'settings above the repository’s',
    keeps: 'a repository from stopping the transcript by its own .claude/settings.json',
    off: [
      {
        file: 'src/agent-runner/project-limits.ts',
        find: "  CLAUDE_CODE_SKIP_PROMPT_HISTORY: '0',\n",
        replace: '',
      },
    ],
    tests: { files: ['test/containers/bubblewrap.test.ts'], named: 'settings.json in the checkout' },
  },
  {
    name: 'a CLI that cannot start',
    keeps: 'a session from being given up because an image is broken',
    off: [
      {
        file: 'src/agent-runner/verdict.ts',
        find: 'const NOT_STARTED = new Set([126, 127]);',
        replace: 'const NOT_STARTED = new Set<number>();',
      },
    ],
    tests: { files: ['test/containers/podman.test.ts'], named: 'in which the CLI does not start' },
  },
  {
    name: 'the user of a bare process',
    keeps: 'a user that a bare process cannot have from ending its conversations',
    off: [
      {
        file: 'src/container/place.ts',
        find: '      user: null,\n',
        replace: '',
      },
    ],
    tests: { files: ['test/containers/process.test.ts'], named: 'the user of the container changes' },
  },
];
