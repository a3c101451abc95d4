/** The part `worker`: it puts back what an earlier one left, then runs what is due. */
import { randomUUID } from 'node:crypto';
import { createSmokeSchedule, type SmokeSchedule } from '../checks/schedule.ts';
import type { DispatchDeps } from '../dispatch/dispatch.ts';
import type { Log } from '../log.ts';
import { silentLog } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { startDueTimers } from '../own-events/due-timers.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';
import { startWorker } from '../worker.ts';
import { dispatchDeps, instanceOf, type WorkerDeps } from './dispatching.ts';
import type { ForgeAccess } from './forge-access.ts';
import type { Foundation } from './foundation.ts';
import { sayModels } from './models.ts';
import { takeOver } from './take-over.ts';

export interface ReadyWorker {
  engine: string;
  /** dispatches that an earlier service had left running */
  rescued: readonly string[];
  begin(): WorkerPart;
}

export interface WorkerPart {
  wake(): void;
  /** Once every part has started: says which models the agents run on, and whether their CLI reaches them. */
  look(): void;
  /** Leases nothing more and gives runs `graceMs` to end. */
  stop(graceMs: number): Promise<void>;
}

/** Ends what an earlier worker of this state folder left, and leases nothing yet. */
export async function readyWorker(
  foundation: Foundation,
  { access, metrics }: { access: ForgeAccess; metrics: Metrics },
): Promise<ReadyWorker> {
  const { attempted, passed } = metrics;
  const refresh = () => foundation.watcher.refresh();
  const instance = instanceOf(foundation.config().state);
  const deps = await dispatchDeps({ ...foundation, access, refresh, attempted, passed }, instance);
  const rescued = await takeOver(foundation, deps);
  return {
    engine: deps.runner.engine.name,
    rescued,
    begin: () => begin(foundation, deps, metrics),
  };
}

function begin(foundation: Foundation, deps: WorkerDeps, metrics: Metrics): WorkerPart {
  const initial = foundation.config();
  const worker = startWorker(
    {
      id: `${deps.runner.instance}:${process.pid}-${randomUUID().slice(0, 8)}`,
      concurrency: initial.worker.concurrency,
      leaseMs: initial.worker.leaseSeconds * 1000,
      runTimeoutMs: initial.worker.runTimeoutMinutes * 60_000,
    },
    deps,
  );
  const { database, log, now } = deps;
  const timers = startDueTimers({ database, log, now, told: worker.wake });
  const waits = startWaits(deps, { log, freed: worker.wake });
  let smoke: SmokeSchedule | null = null;
  const sweeping = setInterval(() => {
    deps.layers.sweep().catch((error) => foundation.log.warn(`layers were not swept: ${String(error)}`));
  }, SWEEP_EVERY_MS).unref();
  return {
    wake: () => {
      worker.wake();
      waits.wake();
    },
    look: () => {
      smoke = startSmoke(foundation, metrics);
      sayModels(initial, foundation.log);
      void seeModelWay(foundation, deps.runner);
      deps.layers
        .look([...initial.agents.values()].map(({ container }) => container))
        .catch((error) => foundation.log.warn(`how layers are shown is not known: ${String(error)}`));
    },
    stop: async (graceMs) => {
      clearInterval(sweeping);
      await smoke?.stop();
      await timers.stop();
      await waits.stop();
      await worker.drain(graceMs);
      await Promise.all([deps.runner.gateway.close(), deps.packages.close()]);
    },
  };
}

/** Looks at what waits for other items. Each delivery that was routed is a hint; without one it looks by itself. */
function startWaits(
  { dependencies, now }: Pick<WorkerDeps, 'dependencies' | 'now'>,
  { log, freed }: { log: Log; freed: () => void },
): WakeLoop {
  return startWakeLoop(async () => {
    try {
      const looked = await dependencies.look();
      if (looked.freed > 0) freed();
      return looked.next === null ? IDLE_MS : Math.min(IDLE_MS, Math.max(50, looked.next - now()));
    } catch (error) {
      log.error(`what waits for other items could not be looked at: ${String(error)}`);
      return IDLE_MS;
    }
  });
}

/** The router may be another process, whose hints do not come here. */
const IDLE_MS = 5_000;

/** A command that removes a layer only says so in its row. */
const SWEEP_EVERY_MS = 30_000;

/** Smoke checks beside the work; results go to the log and to the metrics. */
function startSmoke({ config, log, options }: Foundation, metrics: Metrics): SmokeSchedule {
  return createSmokeSchedule({
    everyMinutes: config().smoke.everyMinutes,
    run: async (signal) => {
      // Loaded only where smoke runs: the rehearsal model and what it needs take megabytes of memory.
      const [{ runSmoke }, { smokeDeps }] = await Promise.all([
        import('../checks/smoke.ts'),
        import('./health.ts'),
      ]);
      const given = { env: options.env, log: silentLog, live: false, running: true, signal };
      return await runSmoke(config(), smokeDeps(config(), given));
    },
    metrics,
    log,
    now: () => Date.now(),
  });
}

/** Tries the CLI of each image at the start, so that one that does not reach the model is seen before it is needed. */
async function seeModelWay({ config, log }: Foundation, runner: DispatchDeps['runner']): Promise<void> {
  const images = new Set([...config().agents.values()].map((a) => a.container.image));
  for (const image of images) {
    try {
      await runner.forwarder(await runner.cli(image));
    } catch (error) {
      log.error(`no agent can run${image === null ? '' : ` in ${image}`}: ${(error as Error).message}`);
    }
  }
}
