/** The HTTP app: routes, and the one place that turns errors into answers. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type Context, Hono } from 'hono';
import { RequestRefused } from './errors.ts';
import { claimedDeliveryId } from './forges/delivery-headers.ts';
import { addDispatchPage } from './server/dispatch-page.ts';
import { addHealth, type HealthDeps } from './server/health.ts';
import { InFlight } from './webhook/in-flight.ts';
import { PATIENCE, type Patience } from './webhook/read-body.ts';
import { receiveWebhook, type WebhookDeps, type WebhookRequest } from './webhook.ts';

export interface ServerDeps extends Omit<WebhookDeps, 'inFlight' | 'patience'>, HealthDeps {
  /** how slow a sender may be; left out, as usual */
  patience?: Patience;
  /** whether health and metrics are served here, too; not where they have an address of their own */
  showsHealth: boolean;
  /** whether there are pages of dispatches; notices lead to them where the service has a public address */
  showsDispatches: boolean;
  /** called when a delivery has been stored, so that the router looks now */
  onAccepted: () => void;
}

export function createServer(deps: ServerDeps): Hono {
  const app = new Hono();
  const edge = { ...deps, inFlight: new InFlight(deps.maxBodyBytes), patience: deps.patience ?? PATIENCE };
  app.all('/webhooks/:forge', async (c) => {
    const request = webhookRequest(c, c.req.param('forge'));
    const acceptance = await receiveWebhook(request, edge);
    deps.metrics.webhook(request.forge, acceptance.kind);
    deps.log.debug(`delivery ${acceptance.kind}`, {
      delivery: acceptance.id,
      forge: request.forge,
      forgeDelivery: claimedId(c.req.raw.headers),
    });
    deps.onAccepted();
    return c.json({ delivery: acceptance.id, repeated: acceptance.kind === 'repeated' }, 202);
  });
  if (deps.showsDispatches) addDispatchPage(app, deps);
  // guard: metrics leave the public address
  if (deps.showsHealth) addHealth(app, deps);
  app.notFound((c) =>
    c.json(
      { error: 'not-found', message: 'Nothing is here. Forges post to /webhooks/<name of the forge>.' },
      404,
    ),
  );
  app.onError((error, c) => {
    // Not decoded: a stranger's path could bring line breaks into the log.
    const path = new URL(c.req.url).pathname;
    const isDelivery = path.startsWith('/webhooks/');
    const refused = error instanceof RequestRefused ? error : refusalOf(error, isDelivery);
    if (isDelivery) {
      const name = path.slice('/webhooks/'.length);
      // A stranger's path must not become a label, because each label is a time series of its own.
      deps.metrics.webhook(Object.hasOwn(deps.forges(), name) ? name : 'unknown', refused.code);
    }
    const level = refused.status >= 500 ? 'error' : 'warn';
    deps.log[level](`refused ${c.req.method} ${path}: ${refused.message}`, {
      status: refused.status,
      address: addressOf(c),
      ...(isDelivery ? { delivery: claimedId(c.req.raw.headers) } : {}),
      ...(refused === error ? {} : { cause: String(error) }),
    });
    const headers: Record<string, string> = refused.status === 405 ? { allow: 'POST' } : {};
    return c.json({ error: refused.code, message: refused.message }, refused.status, headers);
  });
  return app;
}

/**
 * The delivery id that the request claims, for the log: people search the forge's history by it and send again from there.
 * It is not verified.
 */
function claimedId(headers: Headers): string | null {
  const id = claimedDeliveryId(headers);
  return id === null ? null : id.replaceAll(/[^\w-]/g, '?').slice(0, 64);
}

/** Uses the socket's own stream where there is one: wrapped in a web stream, the edge takes half as many deliveries. */
function webhookRequest(c: Context, forge: string): WebhookRequest {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  const { method, raw } = c.req;
  return {
    forge,
    method,
    headers: raw.headers,
    body: () => incoming ?? (raw.body === null ? null : Readable.fromWeb(raw.body as ReadableStream)),
    address: addressOf(c),
  };
}

function addressOf(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  return incoming?.socket.remoteAddress ?? 'unknown';
}

/** SQLite 13 = SQLITE_FULL; PostgreSQL 53100 = disk_full. */
function refusalOf(error: Error, isDelivery: boolean): RequestRefused {
  if (!isDelivery) {
    return new RequestRefused(503, 'internal', 'This could not be answered. See the service’s log.');
  }
  const { errcode, code } = error as { errcode?: number; code?: string };
  if (errcode === 13 || code === '53100' || code === 'ENOSPC') {
    return new RequestRefused(
      507,
      'disk-full',
      'The disk is full: the delivery was not stored. Free space, then send it again from the hook’s history.',
    );
  }
  return new RequestRefused(
    503,
    'not-stored',
    'The delivery was not stored because of an internal error. See the service’s log, then send it again from the hook’s history.',
  );
}
