import type { Guard } from './guard.ts';

/** Against what a layout, an image or a repository could do to a conversation without a word. */
export const LAYOUTS_GUARDS: Guard[] = [
  {
    name: 'variables of an image',
    keeps: 'an image from switching the history off, or from sending it elsewhere',
    off: [{ mark: 'variables of an image', becomes: '' }],
    tests: { files: ['test/containers/podman.test.ts'], named: 'sets what the CLI listens to' },
  },
  {
    name: 'settings above the repository’s',
    keeps: 'a repository from stopping the transcript by its own .claude/settings.json',
    off: [{ mark: 'settings above the repository’s', becomes: '' }],
    tests: { files: ['test/containers/bubblewrap.test.ts'], named: 'settings.json in the checkout' },
  },
  {
    name: 'a CLI that cannot start',
    keeps: 'a session from being given up because an image is broken',
    off: [{ mark: 'a CLI that cannot start', becomes: 'const NOT_STARTED = new Set<number>();' }],
    tests: { files: ['test/containers/podman.test.ts'], named: 'in which the CLI does not start' },
  },
  {
    name: 'the user of a bare process',
    keeps: 'a user that a bare process cannot have from ending its conversations',
    off: [{ mark: 'the user of a bare process', becomes: '' }],
    tests: { files: ['test/containers/process.test.ts'], named: 'the user of the container changes' },
  },
];
