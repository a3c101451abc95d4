import { configDefaults, defineConfig } from 'vitest/config';
import { leftOutHere } from './test/support/needed-by-files.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOutHere().map(({ files }) => files)],
    globalSetup: ['test/support/global-setup.ts'],
    // The list of what was not run comes first, so that Vitest's summary stays the last thing printed.
    reporters: ['./test/support/skipped-reporter.ts', 'default'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The real CLI takes most of a core per run; more files at once only makes every test slower.
    maxWorkers: 2,
    pool: 'forks',
  },
});
