/**
 * Says above Vitest's own summary which files and tests took longest, and how busy the processors were meanwhile: a suite
 * that grows slow is seen, and whether it computes or waits.
 */
import { cpus } from 'node:os';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

const FILES = 30;
const TESTS = 10;
/** Faster ones are not listed. */
const SLOW_MS = 5_000;

export default class SlowReporter implements Reporter {
  #vitest: Vitest | null = null;
  #begun = processorTimes();

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
    const lines = [...slowest(files, FILES), ...slowest(tests, TESTS), busy(this.#begun, processorTimes())];
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

interface ProcessorTimes {
  /** milliseconds of all processors together */
  all: number;
  idle: number;
}

function processorTimes(): ProcessorTimes {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (of: (t: (typeof times)[number]) => number) => times.reduce((total, t) => total + of(t), 0);
  return { all: sum((t) => t.user + t.nice + t.sys + t.irq + t.idle), idle: sum((t) => t.idle) };
}

function busy(from: ProcessorTimes, to: ProcessorTimes): string {
  const share = 1 - (to.idle - from.idle) / Math.max(to.all - from.all, 1);
  return `processors: ${Math.round(share * 100)} % busy`;
}
