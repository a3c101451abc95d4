import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
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
