/** `/healthz`, `/readyz` and `/metrics`: beside the webhooks, or on an address of their own. */
import { Hono } from 'hono';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';

export interface HealthDeps {
  metrics: Metrics;
  log: Log;
  /** null when the service takes and runs work, else why not */
  notReady: () => Promise<string | null>;
}

export function addHealth(app: Hono, { metrics, notReady }: HealthDeps): void {
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const reason = await notReady();
    return reason === null ? c.text('ready\n') : c.text(`${reason}\n`, 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.render(), 200, { 'content-type': metrics.contentType }),
  );
}

/** Where `metrics.port` is set: nothing of it is on the address of the webhooks then. */
export function createHealthServer(deps: HealthDeps): Hono {
  const app = new Hono();
  addHealth(app, deps);
  app.notFound((c) => c.text('Nothing is here. Ask for /metrics, /healthz or /readyz.\n', 404));
  app.onError((error, c) => {
    deps.log.error('metrics or health could not be answered', { path: c.req.path, error });
    return c.text('This could not be answered. See the service’s log.\n', 503);
  });
  return app;
}
