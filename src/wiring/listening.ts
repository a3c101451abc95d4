/** The HTTP server on its port. */
import { serve as listen } from '@hono/node-server';
import type { Metrics } from '../metrics.ts';
import { createServer } from '../server.ts';
import type { Parts } from './parts.ts';
import type { Router } from './routing.ts';

export async function startServer(
  parts: Parts,
  router: Router,
  metrics: Metrics,
): Promise<{ url: string; close(): Promise<void> }> {
  const { config, log, database } = parts;
  const { host, port, maxBodyBytes } = config().server;
  const app = createServer({
    database,
    forges: () => config().forges,
    maxBodyBytes,
    now: () => Date.now(),
    log,
    metrics,
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
    const options = { fetch: app.fetch, hostname: host, port, serverOptions: SERVER_PATIENCE };
    const opened = listen(options, () => resolve(opened));
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

/**
 * Headers have to be there in 10 s. The body has limits of its own (src/webhook/read-body.ts), and this one, a little
 * above them, for requests that nobody reads.
 */
const SERVER_PATIENCE = { headersTimeout: 10_000, requestTimeout: 40_000, connectionsCheckingInterval: 2000 };

/** As long as a forge waits for an answer. A client that never ends its request would keep the service from stopping. */
const CONNECTION_GRACE_MS = 5000;

async function closeServer(server: ReturnType<typeof listen>): Promise<void> {
  const cut = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, CONNECTION_GRACE_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
}
