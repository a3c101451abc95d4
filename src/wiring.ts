/** Who is made in which order, and ended in which. The only file that knows everyone. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { serve as listen } from '@hono/node-server';
import type { LoadedConfig } from './config/config.ts';
import { type ConfigWatcher, watchConfig } from './config/watch.ts';
import { processEngine } from './container/process.ts';
import { type Database, migrate, openDatabase } from './database/database.ts';
import { dispatchNext } from './dispatcher.ts';
import type { Forge } from './forge/forge.ts';
import { createGiteaFamilyClient } from './forge/gitea-family-client.ts';
import { createLog, type Log } from './log.ts';
import { rescueExpired } from './mailbox/settlement.ts';
import { createMetrics } from './metrics.ts';
import { createServer } from './server.ts';
import { lockState, type StateLock } from './state-lock.ts';
import { openWorkdir } from './workdir.ts';
import type { DispatchDeps } from './worker/dispatch.ts';
import { startWorker, type Worker } from './worker.ts';

export interface ServiceOptions {
  file: string;
  env: Record<string, string | undefined>;
  write: (line: string) => void;
}

export interface Service {
  url: string;
  /** Takes nothing more, lets runs end for the configured time, then interrupts them. */
  stop(): Promise<void>;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, log, watcher } = openConfig(options);
  let lock: StateLock | null = null;
  let database: Database | null = null;
  try {
    const initial = config();
    lock = lockState(initial.state);
    database = openDatabase({ url: initial.database.url });
    const { applied } = await migrate(database);
    if (applied.length > 0) log.info(`database migrated: ${applied.join(', ')}`);
    return await startParts({ options, config, log, watcher, lock, database });
  } catch (error) {
    watcher.close();
    lock?.release();
    await database?.close();
    throw error;
  }
}

interface Parts {
  options: ServiceOptions;
  config: () => LoadedConfig;
  log: Log;
  watcher: ConfigWatcher;
  lock: StateLock;
  database: Database;
}

async function startParts(parts: Parts): Promise<Service> {
  const { config, log, database } = parts;
  const initial = config();
  const deps = dispatchDeps(parts, instanceOf(initial.state));
  log.warn(
    'container.engine is "process": agents run as this user, with its files and network. Use it only where everyone who can write on the forge is trusted.',
  );
  await takeOver(parts, deps);
  const worker = startWorker(
    {
      id: `${deps.runner.instance}:${process.pid}-${randomUUID().slice(0, 8)}`,
      concurrency: initial.worker.concurrency,
      leaseMs: initial.worker.leaseSeconds * 1000,
      runTimeoutMs: initial.worker.runTimeoutMinutes * 60_000,
    },
    deps,
  );
  const router = startRouting(parts, worker);
  const server = await startServer(parts, router);
  log.info(`claude-hooks listens on ${server.url}`);
  return {
    url: server.url,
    stop: async () => {
      log.info('stopping: no new work is taken');
      // What is still accepted waits in its row for the next start.
      const closed = server.close();
      await router.stop();
      await worker.drain(config().worker.drainSeconds * 1000);
      await closed;
      parts.watcher.close();
      await database.close();
      parts.lock.release();
      log.info('stopped');
    },
  };
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
    onChange: (loaded) => {
      log?.info(
        'configuration reloaded; server, state, database and worker settings count from the next start',
      );
      for (const warning of loaded.warnings) log?.warn(warning);
    },
    onRejected: (error) =>
      log?.error(`the changed configuration is wrong; the last good one stays in force:\n${error.message}`),
  });
  const config = () => watcher.current();
  log = createLog({ ...config().log, secrets: () => config().secrets, write: options.write });
  for (const warning of config().warnings) log.warn(warning);
  return { config, log, watcher };
}

/** Names this installation in the environment of its processes; lives as long as the state folder. */
function instanceOf(stateFolder: string): string {
  const file = join(stateFolder, 'instance');
  if (!existsSync(file)) writeFileSync(file, randomUUID());
  return readFileSync(file, 'utf8').trim();
}

/** Everything a worker needs to run dispatches; `instance` marks its processes. */
export function dispatchDeps(
  parts: Pick<Parts, 'options' | 'config' | 'log' | 'database'>,
  instance: string,
): DispatchDeps {
  const { config, log, database, options } = parts;
  const initial = config();
  const path = options.env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  const clients = new Map<string, Forge>();
  const now = () => Date.now();
  mkdirSync(join(initial.state, 'work'), { recursive: true, mode: 0o700 });
  return {
    database,
    config,
    forge: (forge, agent) => {
      const { token } = forge.accounts[agent]!;
      const key = JSON.stringify([forge.name, forge.url, agent, token]);
      const client = clients.get(key) ?? createGiteaFamilyClient({ name: forge.name, url: forge.url, token });
      clients.set(key, client);
      return client;
    },
    workdir: openWorkdir({
      folder: join(initial.state, 'work'),
      env: options.env,
      log: (message, fields) => log.info(message, fields),
    }),
    runner: {
      database,
      engine: processEngine({ flock: findProgram('flock', path) }),
      log,
      now,
      instance,
      model: initial.model,
      path,
      executable: initial.worker.cliPath,
      sessions: {
        archive: initial.sessions.archive,
        flushMs: initial.sessions.flushMilliseconds,
        maxFailedResumes: initial.sessions.maxFailedResumes,
        lateMessagesMs: initial.worker.lateMessagesSeconds * 1000,
      },
    },
    now,
    log,
  };
}

function findProgram(name: string, path: string): string | null {
  const folder = path.split(delimiter).find((f) => f !== '' && existsSync(join(f, name)));
  return folder === undefined ? null : join(folder, name);
}

/** What an earlier service left: its processes are ended first, then its dispatches are put back. */
async function takeOver(parts: Parts, deps: DispatchDeps): Promise<void> {
  const { runner } = deps;
  const orphans = await runner.engine.reapOrphans(runner.instance);
  if (orphans.length > 0) parts.log.warn('ended processes of an earlier service', { dispatches: orphans });
  // This folder's lock is ours: whoever ran dispatches here is dead, whatever its leases say.
  const dead = await workersOfThisFolder(parts, runner.instance);
  const rescued = await rescueExpired(parts.database, {
    now: deps.now(),
    deadWorkers: dead,
    reason: 'the service stopped while it ran',
  });
  if (rescued.length > 0)
    parts.log.warn('dispatches were interrupted and wait again', { dispatches: rescued });
}

/** A worker's id begins with its installation's: workers of other state folders may be alive, and their leases decide. */
async function workersOfThisFolder(parts: Parts, instance: string): Promise<string[]> {
  const rows = await parts.database.rows
    .selectFrom('dispatches')
    .select('worker')
    .distinct()
    .where('state', '=', 'running')
    .execute();
  return rows.map((r) => r.worker).filter((w) => w?.startsWith(`${instance}:`)) as string[];
}

interface Router {
  wake(): void;
  stop(): Promise<void>;
}

const ROUTE_EVERY_MS = 1000;

/** Decides deliveries one after another, at once when told to and at least every second. */
function startRouting(parts: Parts, worker: Worker): Router {
  let stopped = false;
  let wake: () => void = () => {};
  let pending = false;
  const deps = {
    database: parts.database,
    config: parts.config,
    now: () => Date.now(),
    log: parts.log,
  };
  const loop = (async () => {
    while (!stopped) {
      pending = false;
      const decided = await dispatchNext(deps).catch((error: unknown) => {
        parts.log.error(`deliveries could not be read: ${String(error)}`);
        return false;
      });
      if (decided) {
        worker.wake();
        continue;
      }
      await new Promise<void>((resolve) => {
        if (pending || stopped) return resolve();
        const timer = setTimeout(resolve, ROUTE_EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  const poke = () => {
    pending = true;
    wake();
  };
  return {
    wake: poke,
    stop: async () => {
      stopped = true;
      poke();
      await loop;
    },
  };
}

async function startServer(parts: Parts, router: Router): Promise<{ url: string; close(): Promise<void> }> {
  const { config, log, database } = parts;
  const { host, port, maxBodyBytes } = config().server;
  const app = createServer({
    database,
    forges: () => config().forges,
    maxBodyBytes,
    now: () => Date.now(),
    log,
    metrics: createMetrics(database),
    onAccepted: router.wake,
    notReady: async () => {
      try {
        await database.rows.selectFrom('deliveries').select('id').limit(1).execute();
        return null;
      } catch (error) {
        return `the database does not answer: ${String(error)}`;
      }
    },
  });
  const server = await new Promise<ReturnType<typeof listen>>((resolve, reject) => {
    const opened = listen({ fetch: app.fetch, hostname: host, port }, () => resolve(opened));
    opened.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `Cannot listen on ${host}:${port}: ${error.message}. Choose another server.port, or end what uses it.`,
        ),
      ),
    );
  });
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: () => closeServer(server),
  };
}

/** As long as a forge waits for an answer. A client that never ends its request would keep the service from stopping. */
const CONNECTION_GRACE_MS = 5000;

async function closeServer(server: ReturnType<typeof listen>): Promise<void> {
  const cut = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, CONNECTION_GRACE_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
}
