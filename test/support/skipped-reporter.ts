/** Says once, just above Vitest's own summary, which suites and tests were not run here and why. */
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import { leftOutHere } from './needed-by-files.ts';
import { NOT_RUN_HERE } from './requirements.ts';

export default class SkippedReporter implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    if (this.#vitest === null) return;
    // `-t` skips by name whatever it does not match; that is no news about this machine.
    const filtered = this.#vitest.config.testNamePattern !== undefined;
    const entries = modules.flatMap((module) => [...skipped(module)]);
    const lines = entries.filter((entry) => !filtered || entry.fullName.includes(NOT_RUN_HERE)).map(describe);
    lines.push(...leftOutHere().map(({ files, reason }) => `not run here: ${files} — ${reason}`));
    for (const line of [...new Set(lines)].sort()) this.#vitest.logger.log(line);
  }
}

/** The outermost skipped ones: what is inside them goes without saying. */
function* skipped(parent: TestModule | TestSuite): Generator<TestSuite | TestCase> {
  for (const child of parent.children) {
    if (child.options.mode === 'skip' || child.options.mode === 'todo') yield child;
    else if (child.type === 'suite') yield* skipped(child);
  }
}

function describe(entry: TestSuite | TestCase): string {
  const [name, reason] = entry.fullName.split(NOT_RUN_HERE);
  return `not run here: ${name}${reason === undefined ? '' : ` — ${reason}`}`;
}
