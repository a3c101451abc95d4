/** Who is made in which order, and ended in which. The only file that knows everyone. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSmokeSchedule, type SmokeSchedule } from './checks/schedule.ts';
import type { LoadedConfig } from './config/config.ts';
import { type ConfigWatcher, watchConfig } from './config/watch.ts';
import { type Database, migrate, openDatabase } from './database/database.ts';
import { requireUsable } from './database/opening.ts';
import type { DispatchDeps } from './dispatch/dispatch.ts';
import { sweepPieces } from './inbox/pieces.ts';
import { createLog, type Log, silentLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { networkOf } from './network.ts';
import { lockState, type StateLock } from './state-lock.ts';
import { dispatchDeps, instanceOf } from './wiring/dispatching.ts';
import { type Health, startHealth, startServer } from './wiring/listening.ts';
import { sayModels } from './wiring/models.ts';
import type { Parts, ServiceOptions } from './wiring/parts.ts';
import { keepFilesPrivate } from './wiring/private-files.ts';
import { type Router, startRouting } from './wiring/routing.ts';
import { tellRejected, tellReload, tellStart } from './wiring/said.ts';
import { takeOver } from './wiring/take-over.ts';
import { packageVersion } from './wiring/version.ts';
import { startWorker } from './worker.ts';

export interface Service {
  url: string;
  /** Takes nothing more, lets runs end for the configured time, then interrupts them. */
  stop(): Promise<void>;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, log, watcher } = openConfig(options);
  // guard: files: the umask of the service, part 1
  keepFilesPrivate(config());
  let lock: StateLock | null = null;
  let database: Database | null = null;
  try {
    const initial = config();
    lock = lockState(initial.state);
    if (lock.tightened !== null) log.warn(lock.tightened);
    database = openDatabase({ url: initial.database.url, tightened: (said) => log.warn(said) });
    await requireUsable(database, initial.database.url);
    const { applied } = await migrate(database);
    if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`);
    const swept = await sweepPieces(database, Date.now());
    if (swept > 0) log.info(`removed what was left of ${swept} deliveries that were never acknowledged`);
    return await startParts({ options, config, log, watcher, lock, database });
  } catch (error) {
    watcher.close();
    lock?.release();
    await database?.close();
    throw error;
  }
}

const IDENTITY_PATIENCE_MS = 5000;

async function startParts(parts: Parts): Promise<Service> {
  const { config, log, database } = parts;
  const initial = config();
  const refresh = () => parts.watcher.refresh();
  const version = packageVersion();
  const metrics = createMetrics(database, { version });
  const { attempted, decided } = metrics;
  const deps = await dispatchDeps(
    { ...parts, network: networkOf(initial), refresh, attempted },
    instanceOf(initial.state),
  );
  const rescued = await takeOver(parts, deps);
  // A forge that says nothing must not keep deliveries of others out; each agent is checked before its runs, too.
  await Promise.race([deps.trust.checkIdentities(), sleep(IDENTITY_PATIENCE_MS, undefined, { ref: false })]);
  const worker = startWorker(
    {
      id: `${deps.runner.instance}:${process.pid}-${randomUUID().slice(0, 8)}`,
      concurrency: initial.worker.concurrency,
      leaseMs: initial.worker.leaseSeconds * 1000,
      runTimeoutMs: initial.worker.runTimeoutMinutes * 60_000,
    },
    deps,
  );
  const router = startRouting(parts, worker, { trust: deps.trust, decided });
  let stopping: string | null = null;
  const { server, healthServer } = await openServers(parts, router, {
    metrics,
    stopping: () => stopping,
  }).catch(async (error: unknown) => {
    // Nobody is served, so nothing may go on: the port is taken, or is not ours to take.
    await router.stop();
    await worker.drain(0);
    await deps.runner.gateway.close();
    throw error;
  });
  const smoke = startSmoke(parts, metrics);
  sayModels(initial, log);
  void seeModelWay(parts, deps.runner);
  await tellStart(log, {
    config: initial,
    database,
    version,
    engine: deps.runner.engine.name,
    url: server.url,
    healthUrl: healthServer?.url ?? null,
    rescued,
  });
  return {
    url: server.url,
    stop: async () => {
      stopping = 'stopping: no new work is taken';
      log.info(stopping);
      // What is still accepted waits in its row for the next start.
      const closed = server.close();
      await router.stop();
      await smoke.stop();
      await worker.drain(config().worker.drainSeconds * 1000);
      await closed;
      await deps.runner.gateway.close();
      await healthServer?.close();
      parts.watcher.close();
      await database.close();
      parts.lock.release();
      log.info('stopped');
    },
  };
}

/** Both or none: whoever watches the health of a service that did not start must not find it well. */
async function openServers(parts: Parts, router: Router, health: Health) {
  const healthServer = await startHealth(parts, health);
  try {
    return { healthServer, server: await startServer(parts, router, health) };
  } catch (error) {
    await healthServer?.close();
    throw error;
  }
}

/** Beside the work: what it finds is in the log and in the metrics. */
function startSmoke({ config, log, options }: Parts, metrics: Metrics): SmokeSchedule {
  return createSmokeSchedule({
    everyMinutes: config().smoke.everyMinutes,
    run: async (signal) => {
      // Only where it is asked for: the rehearsal model and its like are megabytes that a service at rest does not need.
      const [{ runSmoke }, { smokeDeps }] = await Promise.all([
        import('./checks/smoke.ts'),
        import('./wiring/health.ts'),
      ]);
      const given = { env: options.env, log: silentLog, live: false, running: true, signal };
      return await runSmoke(config(), smokeDeps(config(), given));
    },
    metrics,
    log,
    now: () => Date.now(),
  });
}

/** Before the first agent runs, and not only then: a CLI that does not reach the model is seen at the start. */
async function seeModelWay({ config, log }: Parts, runner: DispatchDeps['runner']): Promise<void> {
  const images = new Set([...config().agents.values()].map((a) => a.container.image));
  for (const image of images) {
    try {
      await runner.forwarder(await runner.cli(image));
    } catch (error) {
      log.error(`no agent can run${image === null ? '' : ` in ${image}`}: ${(error as Error).message}`);
    }
  }
}

function openConfig(options: ServiceOptions): {
  config: () => LoadedConfig;
  log: Log;
  watcher: ConfigWatcher;
} {
  let log: Log | null = null;
  const watcher = watchConfig({
    file: options.file,
    env: options.env,
    onChange: (loaded, changes) => {
      keepFilesPrivate(loaded);
      if (log !== null) tellReload(log, loaded, changes);
    },
    onRejected: (error) => {
      if (log !== null) tellRejected(log, error);
    },
  });
  const config = () => watcher.current();
  const { level, format } = config().log;
  const forTerminal = options.terminal === true ? 'pretty' : 'json';
  log = createLog({
    level,
    format: format === 'auto' ? forTerminal : format,
    secrets: () => config().secrets,
    write: options.write,
  });
  for (const warning of config().warnings) log.warn(warning);
  return { config, log, watcher };
}
