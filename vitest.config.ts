import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { leftOutHere } from './test/support/needed-by-files.ts';
import { OWN_PROCESS } from './test/support/own-process.ts';
import { patience } from './test/support/patience.ts';

const exclude = [...configDefaults.exclude, ...leftOutHere().map(({ files }) => files)];

// A process compiles what an earlier one has compiled no second time: of the packages here, and of the sources in every
// `claude-hooks` that a test starts with this environment.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // The list of what was not run comes first, so that Vitest's summary stays the last thing printed.
    reporters: ['./test/support/slow-reporter.ts', './test/support/skipped-reporter.ts', 'default'],
    // A test that takes so long hangs. How fast anything is, bench/ shows.
    testTimeout: patience(180_000),
    hookTimeout: patience(180_000),
    expect: { poll: { timeout: patience(30_000), interval: 25 } },
    // The real CLI takes most of a core per run, and a quarter of its time a file waits: three keep two cores busy. More only
    // make every test slower.
    maxWorkers: 3,
    pool: 'forks',
    // In the order of their names: the many short files come last, so that no long one is left over for one of the workers.
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: [...OWN_PROCESS],
          exclude,
        },
      },
      {
        extends: true,
        test: {
          name: 'shared process',
          include: ['{src,rehearsal,test}/**/*.test.ts'],
          exclude: [...exclude, ...OWN_PROCESS],
          isolate: false,
          setupFiles: ['test/support/shared-process.ts'],
        },
      },
    ],
  },
});
