/** Runs the smoke checks again and again inside the service and publishes what came of them. */
import { isGood, type SmokeReport } from './smoke-report.ts';

export interface SmokeMetrics {
  smokeCheck(check: string, state: string): void;
  /** unix ms */
  smokeSucceeded(at: number): void;
}

export interface SmokeSchedule {
  /** Cuts a run that is under way; what it found does not count. */
  stop(): Promise<void>;
}

export interface ScheduleOptions {
  /** 0 = never */
  everyMinutes: number;
  run: (signal: AbortSignal) => Promise<SmokeReport>;
  metrics: SmokeMetrics;
  log: { info(message: string): void; error(message: string): void };
  now: () => number;
}

/** The first run begins at once, because an update is the likeliest cause of trouble. Runs never overlap. */
export function createSmokeSchedule(options: ScheduleOptions): SmokeSchedule {
  if (options.everyMinutes === 0) return { stop: async () => {} };
  let running: Promise<void> | null = null;
  const stopping = new AbortController();
  const tick = () => {
    running ??= runOnce(options, stopping.signal).finally(() => {
      running = null;
    });
  };
  tick();
  const timer = setInterval(tick, options.everyMinutes * 60_000);
  return {
    stop: async () => {
      clearInterval(timer);
      stopping.abort('the service stops');
      await running;
    },
  };
}

async function runOnce({ run, metrics, log, now }: ScheduleOptions, signal: AbortSignal): Promise<void> {
  try {
    const report = await run(signal);
    if (signal.aborted) return;
    for (const { check, state } of report.checks) metrics.smokeCheck(check, state);
    if (report.ok) metrics.smokeSucceeded(now());
    for (const bad of report.checks.filter((c) => !isGood(c))) {
      log.error(
        `smoke: ${bad.agent ?? 'installation'}: ${bad.check} ${bad.state}: ${bad.detail}. ${bad.remedy}`,
      );
    }
    if (report.ok) log.info(`smoke: all ${report.checks.length} checks are well`);
  } catch (error) {
    if (signal.aborted) return;
    metrics.smokeCheck('run', 'failed');
    log.error(`smoke: the checks could not be run: ${String(error)}`);
  }
}
