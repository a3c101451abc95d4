import { configDefaults, defineConfig } from 'vitest/config';
import { leftOutHere } from './test/support/needed-by-files.ts';
import { patience } from './test/support/patience.ts';

const exclude = [...configDefaults.exclude, ...leftOutHere().map(({ files }) => files)];

/**
 * Rooms whose tests start no process and change nothing of their own process: their files share one, because starting
 * one and importing the same sources again costs half a second a file.
 */
const LIGHT =
  'src/{config,flows,forge,inbox,inspection,mailbox,mentions,outcome,router,security,trust,webhook}{,/**/*}.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // The list of what was not run comes first, so that Vitest's summary stays the last thing printed.
    reporters: ['./test/support/slow-reporter.ts', './test/support/skipped-reporter.ts', 'default'],
    // A test that takes so long hangs. How fast anything is, bench/ shows.
    testTimeout: patience(180_000),
    hookTimeout: patience(180_000),
    expect: { poll: { timeout: patience(30_000), interval: 25 } },
    // The real CLI takes most of a core per run; more files at once only makes every test slower.
    maxWorkers: 2,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: { name: 'light', include: [LIGHT], exclude, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['src/**/*.test.ts', 'rehearsal/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...exclude, LIGHT],
        },
      },
    ],
  },
});
