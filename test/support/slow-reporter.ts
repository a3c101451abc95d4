/** Says above Vitest's own summary which files and tests took longest, so that a suite that grows slow is seen. */
import type { Reporter, TestModule, Vitest } from 'vitest/node';

const FILES = 10;
const TESTS = 10;
/** Faster ones are not listed. */
const SLOW_MS = 5_000;

export default class SlowReporter implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const files = modules.map((m) => ({ name: m.relativeModuleId, ms: m.diagnostic().duration }));
    const tests = modules.flatMap((m) =>
      [...m.children.allTests()].map((test) => ({
        name: `${m.relativeModuleId} > ${test.fullName}`,
        ms: test.diagnostic()?.duration ?? 0,
      })),
    );
    const lines = [...slowest(files, FILES), ...slowest(tests, TESTS)];
    for (const line of lines) this.#vitest?.logger.log(line);
  }
}

function slowest(all: { name: string; ms: number }[], count: number): string[] {
  return all
    .filter(({ ms }) => ms > SLOW_MS)
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ name, ms }) => `slow: ${(ms / 1000).toFixed(1).padStart(6)} s  ${name}`);
}
