/** Starts the parts of the service, and stops them. The only file that knows all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { budgetsNow } from './budgets/status.ts';
import { type Database, migrate, openDatabase } from './database/database.ts';
import { requireUsable } from './database/opening.ts';
import { startFeedback } from './feedback.ts';
import { sweepPieces } from './inbox/pieces.ts';
import { createMetrics } from './metrics.ts';
import { networkOf } from './network.ts';
import { lockState, type StateLock } from './state-lock.ts';
import { type ForgeAccess, forgeAccess } from './wiring/forge-access.ts';
import type { Foundation, ServiceOptions } from './wiring/foundation.ts';
import { type Health, type Listening, startHealth, startServer } from './wiring/listening.ts';
import { openConfig } from './wiring/open-config.ts';
import { keepFilesPrivate } from './wiring/private-files.ts';
import { startReconciling } from './wiring/reconciling.ts';
import { startRouting } from './wiring/routing.ts';
import { tellStart } from './wiring/said.ts';
import { requireShared, SERVICE_PARTS, type ServicePart } from './wiring/service-parts.ts';
import { packageVersion } from './wiring/version.ts';
import { readyWorker } from './wiring/working.ts';

export interface Service {
  /** where webhooks are taken; null without the part `web` */
  url: string | null;
  /** Takes nothing more, lets runs end for the configured time, then interrupts them. */
  stop(): Promise<void>;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, log, watcher } = openConfig(options);
  const parts = new Set(options.only ?? SERVICE_PARTS);
  // guard: files: the umask of the service, part 1
  keepFilesPrivate(config());
  let lock: StateLock | null = null;
  let database: Database | null = null;
  try {
    const initial = config();
    requireShared(initial, parts);
    if (parts.has('worker')) lock = lockState(initial.state);
    if (lock !== null && lock.tightened !== null) log.warn(lock.tightened);
    database = openDatabase({ url: initial.database.url, tightened: (said) => log.warn(said) });
    await requireUsable(database, initial.database.url);
    const { applied } = await migrate(database);
    if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`);
    const swept = await sweepPieces(database, Date.now());
    if (swept > 0) log.info(`removed what was left of ${swept} deliveries that were never acknowledged`);
    return await startParts({ options, config, log, watcher, lock, database }, parts);
  } catch (error) {
    watcher.close();
    lock?.release();
    await database?.close();
    throw error;
  }
}

const IDENTITY_PATIENCE_MS = 5000;

async function startParts(foundation: Foundation, parts: ReadonlySet<ServicePart>): Promise<Service> {
  const { config, log, database } = foundation;
  const initial = config();
  const version = packageVersion();
  const metrics = createMetrics(database, {
    version,
    budgets: async (now) =>
      (await budgetsNow(database.rows, config().budgets, now)).map(({ budget, used }) => ({
        labels: { budget },
        value: used,
      })),
  });
  const refresh = () => foundation.watcher.refresh();
  const access = forgeAccess({ ...foundation, network: networkOf(initial), refresh });
  let wakeFeedback = () => {};
  const attempted: typeof metrics.attempted = (attempt) => {
    metrics.attempted(attempt);
    wakeFeedback();
  };
  const told = { access, metrics: { ...metrics, attempted } };
  const ready = parts.has('worker') ? await readyWorker(foundation, told) : null;
  if (parts.has('worker') || parts.has('router')) await seeIdentities(access);
  const worker = ready?.begin() ?? null;
  const wakeWorker = () => {
    worker?.wake();
    wakeFeedback();
  };
  const routing = { access, decided: metrics.decided, wakeWorker };
  const router = parts.has('router') ? startRouting(foundation, routing) : null;
  const feedback = parts.has('router')
    ? startFeedback({ ...foundation, ...access, now: () => Date.now() })
    : null;
  wakeFeedback = () => feedback?.wake();
  let stopping: string | null = null;
  const health = { metrics, stopping: () => stopping };
  const wakeRouter = () => router?.wake();
  const servers = await openServers(foundation, parts.has('web') ? wakeRouter : null, health).catch(
    async (error: unknown) => {
      // A port could not be opened, so the start fails, and what runs already is stopped.
      await router?.stop();
      await worker?.stop(0);
      await feedback?.stop();
      throw error;
    },
  );
  const reconciling =
    router === null ? null : startReconciling(foundation, { access, metrics, wakeRouter: router.wake });
  worker?.look();
  await tellStart(log, {
    config: initial,
    database,
    version,
    parts: SERVICE_PARTS.filter((part) => parts.has(part)),
    engine: ready?.engine ?? null,
    url: servers.web?.url ?? null,
    healthUrl: servers.health?.url ?? null,
    rescued: ready?.rescued ?? [],
  });
  return {
    url: servers.web?.url ?? null,
    stop: async () => {
      stopping = 'stopping: no new work is taken';
      log.info(stopping);
      // The router stops next; what is accepted after it stays in its row until the next start.
      const closed = servers.web?.close();
      await reconciling?.stop();
      await router?.stop();
      await worker?.stop(config().worker.drainSeconds * 1000);
      await feedback?.stop();
      await closed;
      await servers.health?.close();
      foundation.watcher.close();
      await database.close();
      foundation.lock?.release();
      log.info('stopped');
    },
  };
}

/** Waits 5 s at most, because a silent forge must not delay the others. Each agent is checked again before its runs. */
async function seeIdentities({ trust }: ForgeAccess): Promise<void> {
  await Promise.race([trust.checkIdentities(), sleep(IDENTITY_PATIENCE_MS, undefined, { ref: false })]);
}

interface Servers {
  web: Listening | null;
  health: Listening | null;
}

/** Opens both or none: a service that did not start must not look healthy. */
async function openServers(
  foundation: Foundation,
  wakeRouter: (() => void) | null,
  health: Health,
): Promise<Servers> {
  const healthServer = await startHealth(foundation, health);
  try {
    const web = wakeRouter === null ? null : await startServer(foundation, wakeRouter, health);
    return { web, health: healthServer };
  } catch (error) {
    await healthServer?.close();
    throw error;
  }
}
