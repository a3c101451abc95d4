/**
 * The webhook edge: verify, store, answer. Everything in the headers is checked before a byte of the body is read, and
 * nothing is parsed before the signature is verified. Only storing happens before the answer: the forge waits 5 s, and
 * never sends a delivery twice.
 */
import type { Readable } from 'node:stream';
import type { ForgeConfig } from './config/config.ts';
import type { Database } from './database/database.ts';
import { RequestRefused } from './errors.ts';
import { faultPoint } from './faults.ts';
import { type DeliveryHeadersOutcome, readDeliveryHeaders } from './forges/delivery-headers.ts';
import { findKit, kitOf } from './forges/registry.ts';
import { acceptPieces } from './inbox/pieces.ts';
import type { Acceptance } from './inbox.ts';
import type { InFlight } from './webhook/in-flight.ts';
import { emptyBody, type Patience, readBody, tooLarge } from './webhook/read-body.ts';
import { requireClaim } from './webhook/signature.ts';

export interface WebhookRequest {
  /** last segment of the path: a configured forge's name */
  forge: string;
  method: string;
  headers: Headers;
  /** called only when the headers are in order; null when there is no body */
  body: () => Readable | null;
  /** the address of the sender, or of a proxy before us */
  address: string;
}

export interface WebhookDeps {
  database: Database;
  forges: () => Readonly<Record<string, ForgeConfig>>;
  maxBodyBytes: number;
  inFlight: InFlight;
  patience: Patience;
  now: () => number;
}

/** Throws RequestRefused; if it does not, the delivery is on the disk. */
export async function receiveWebhook(request: WebhookRequest, deps: WebhookDeps): Promise<Acceptance> {
  const forge = requireForge(request, deps);
  requireJsonPost(request);
  if (Number(request.headers.get('content-length') ?? 0) > deps.maxBodyBytes) {
    throw tooLarge(deps.maxBodyBytes);
  }
  const claim = requireClaim(request.headers, forge);
  const share = deps.inFlight.open(request.address);
  try {
    const body = request.body();
    if (body === null) throw emptyBody();
    const { maxBodyBytes: maxBytes, patience } = deps;
    const pieces = await readBody({ body, maxBytes, digests: claim.digests, share, patience });
    const { scope } = claim.prove();
    const headers = requireHeaders(readDeliveryHeaders(request.headers), forge);
    faultPoint('webhook.received');
    const acceptance = await acceptPieces(deps.database, {
      forge: forge.name,
      forgeDeliveryId: headers.deliveryId,
      source: 'webhook',
      scope,
      headers: keptHeaders(request.headers),
      pieces,
      now: deps.now(),
    });
    faultPoint('webhook.stored');
    return acceptance;
  } finally {
    share.release();
  }
}

function requireForge(request: WebhookRequest, deps: WebhookDeps): ForgeConfig {
  const forges = deps.forges();
  // A plain look-up is not enough: every object has a "constructor".
  const forge = Object.hasOwn(forges, request.forge) ? forges[request.forge] : undefined;
  if (forge !== undefined) return forge;
  throw new RequestRefused(
    404,
    'unknown-forge',
    `No forge named ${JSON.stringify(request.forge)} is configured. Use /webhooks/<name> with a name below "forges" in claude-hooks.yaml.`,
  );
}

function requireJsonPost(request: WebhookRequest): void {
  if (request.method !== 'POST') {
    throw new RequestRefused(
      405,
      'method',
      `${request.method} is not accepted here. Set the hook's HTTP method to POST.`,
    );
  }
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new RequestRefused(
      415,
      'content-type',
      `Content type ${JSON.stringify(type)} is not accepted. Set the hook's content type to application/json.`,
    );
  }
}

function requireHeaders(reading: DeliveryHeadersOutcome, forge: ForgeConfig) {
  if (reading.kind !== 'ok') throw new RequestRefused(400, 'headers', reading.reason);
  const { kind } = reading.headers;
  if (findKit(kind)?.family !== kitOf(forge.kind).family) {
    throw new RequestRefused(
      400,
      'forge-kind',
      `The headers come from ${kind}, but forge ${forge.name} is ${forge.kind}. Point that hook at its own /webhooks/<name>.`,
    );
  }
  return reading.headers;
}

/** The headers that are needed to understand the delivery later. Authorization and cookies are not kept. */
function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name.startsWith('x-') || name === 'user-agent' || name === 'content-type') kept[name] = value;
  });
  return kept;
}
