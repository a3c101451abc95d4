import { afterEach, expect, test, vi } from 'vitest';
import { openSqlite } from '../../test/support/databases.ts';
import { createMetrics } from '../metrics.ts';
import { createSmokeSchedule } from './schedule.ts';
import { reportOf, type SmokeLine } from './smoke-report.ts';

const checkOf = (state: SmokeLine['state']): SmokeLine => ({
  agent: 'dev',
  check: 'resume',
  state,
  detail: 'volume-missing: x',
  remedy: 'Mount it.',
});

afterEach(() => {
  vi.useRealTimers();
});

test('the first run is at once, the next after its time, and counters and log tell what came of each', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const metrics = createMetrics(await openSqlite());
  const lines: string[] = [];
  const log = { info: (m: string) => void lines.push(m), error: (m: string) => void lines.push(m) };
  const states: SmokeLine['state'][] = ['ok', 'failed'];
  let runs = 0;
  const schedule = createSmokeSchedule({
    everyMinutes: 10,
    run: async () => reportOf([checkOf(states[runs++]!)], 'process'),
    metrics,
    log,
    now: () => 1_700_000_000_000,
  });
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  vi.advanceTimersByTime(9 * 60_000);
  expect(runs).toBe(1);
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  await schedule.stop();
  expect(runs).toBe(2);
  expect(lines).toEqual([
    'smoke: all 1 checks are well',
    'smoke: dev: resume failed: volume-missing: x. Mount it.',
  ]);
  const text = await metrics.render();
  expect(text).toContain('claude_hooks_smoke_checks_total{check="resume",state="ok"} 1');
  expect(text).toContain('claude_hooks_smoke_checks_total{check="resume",state="failed"} 1');
  expect(text).toContain('claude_hooks_smoke_last_success_timestamp_seconds 1700000000');
});

test('a run that takes longer than its time is not joined by another, and stopping cuts it', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const metrics = createMetrics(await openSqlite());
  let runs = 0;
  const schedule = createSmokeSchedule({
    everyMinutes: 1,
    run: async (signal) => {
      runs++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return reportOf([checkOf('failed')], 'process');
    },
    metrics,
    log: { info: () => {}, error: () => {} },
    now: Date.now,
  });
  vi.advanceTimersByTime(5 * 60_000);
  expect(runs).toBe(1);
  await schedule.stop();
  // What a cut run found says nothing of the layout.
  expect(await metrics.render()).not.toContain('claude_hooks_smoke_checks_total{');
});

test('checks that could not be run at all are counted as well', async () => {
  const metrics = createMetrics(await openSqlite());
  const told = Promise.withResolvers<string>();
  const schedule = createSmokeSchedule({
    everyMinutes: 1,
    run: async () => {
      throw new Error('the disk is gone');
    },
    metrics,
    log: { info: () => {}, error: told.resolve },
    now: Date.now,
  });
  expect(await told.promise).toContain('the disk is gone');
  await schedule.stop();
  expect(await metrics.render()).toContain('claude_hooks_smoke_checks_total{check="run",state="failed"} 1');
});

test('0 minutes is never', async () => {
  let runs = 0;
  const run = async () => {
    runs++;
    return reportOf([], null);
  };
  const metrics = { smokeCheck: () => {}, smokeSucceeded: () => {} };
  const log = { info: () => {}, error: () => {} };
  await createSmokeSchedule({ everyMinutes: 0, run, metrics, log, now: Date.now }).stop();
  expect(runs).toBe(0);
});
