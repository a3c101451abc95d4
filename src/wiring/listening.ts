/** The HTTP servers on their ports. */
import { serve as listen } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Metrics } from '../metrics.ts';
import { createHealthServer, type HealthDeps } from '../server/health.ts';
import { createServer } from '../server.ts';
import type { Foundation } from './foundation.ts';

export interface Listening {
  url: string;
  close(): Promise<void>;
}

export interface Health {
  metrics: Metrics;
  /** why the service takes nothing more; null = it does */
  stopping: () => string | null;
}

function healthDeps({ log, database }: Foundation, { metrics, stopping }: Health): HealthDeps {
  return {
    metrics,
    log,
    notReady: async () => {
      try {
        await database.rows.selectFrom('deliveries').select('id').limit(1).execute();
        return stopping();
      } catch (error) {
        return `the database does not answer: ${String(error)}`;
      }
    },
  };
}

/** null where they are served beside the webhooks. */
export async function startHealth(foundation: Foundation, health: Health): Promise<Listening | null> {
  const { metrics: at } = foundation.config();
  if (at === null) return null;
  return await listenOn(createHealthServer(healthDeps(foundation, health)), { ...at, option: 'metrics' });
}

export async function startServer(
  foundation: Foundation,
  wakeRouter: () => void,
  health: Health,
): Promise<Listening> {
  const { config, database } = foundation;
  const { host, port, maxBodyBytes } = config().server;
  const app = createServer({
    database,
    forges: () => config().forges,
    maxBodyBytes,
    now: () => Date.now(),
    ...healthDeps(foundation, health),
    showsHealth: config().metrics === null,
    showsDispatches: config().server.publicUrl !== null,
    onAccepted: wakeRouter,
  });
  return await listenOn(app, { host, port, option: 'server' });
}

async function listenOn(
  app: Hono,
  { host, port, option }: { host: string; port: number; option: 'server' | 'metrics' },
): Promise<Listening> {
  const server = await new Promise<ReturnType<typeof listen>>((resolve, reject) => {
    const options = { fetch: app.fetch, hostname: host, port, serverOptions: SERVER_PATIENCE };
    const opened = listen(options, () => resolve(opened));
    opened.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`Cannot listen on ${host}:${port}: ${error.message}. ${remedyFor(error, option)}`)),
    );
  });
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: () => closeServer(server),
  };
}

const NOT_HERE = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'];

function remedyFor({ code }: NodeJS.ErrnoException, option: string): string {
  if (code === 'EACCES') return `Choose a ${option}.port above 1023, or let the service bind to it.`;
  if (NOT_HERE.includes(code ?? '')) return `Set ${option}.host to an address of this machine.`;
  return `Choose another ${option}.port, or end what uses it.`;
}

/**
 * Headers have to be there in 10 s. The body has limits of its own (src/webhook/read-body.ts), and this one, a little
 * above them, for requests that nobody reads.
 */
// guard: bodies: slow headers are cut
const SERVER_PATIENCE = { headersTimeout: 10_000, requestTimeout: 40_000, connectionsCheckingInterval: 2000 };

/** How long stopping waits for open requests; a client that never ends its own must not keep the service running. */
const CONNECTION_GRACE_MS = 5000;

async function closeServer(server: ReturnType<typeof listen>): Promise<void> {
  const cut = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, CONNECTION_GRACE_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
}
