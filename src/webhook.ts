/**
 * The webhook edge: verify, store, answer. Nothing is parsed before the signature holds, and nothing but one insert
 * happens before the answer: the forge waits 5 s, and never asks twice.
 */
import type { ForgeConfig } from './config/config.ts';
import type { Database } from './database/database.ts';
import { RequestRefused } from './errors.ts';
import { faultPoint } from './faults.ts';
import { type DeliveryHeadersOutcome, readDeliveryHeaders } from './forge/delivery-headers.ts';
import { acceptTogether } from './inbox/group-commit.ts';
import type { Acceptance } from './inbox.ts';
import { verifySignature } from './security.ts';

export interface WebhookRequest {
  /** last segment of the path: a configured forge's name */
  forge: string;
  method: string;
  headers: Headers;
  /** null when there is no body */
  body: ReadableStream<Uint8Array> | null;
}

export interface WebhookDeps {
  database: Database;
  forges: () => Readonly<Record<string, ForgeConfig>>;
  maxBodyBytes: number;
  now: () => number;
}

/** Throws RequestRefused; otherwise the delivery is on the disk. */
export async function receiveWebhook(request: WebhookRequest, deps: WebhookDeps): Promise<Acceptance> {
  const forges = deps.forges();
  // Not by look-up alone: every object has a "constructor".
  const forge = Object.hasOwn(forges, request.forge) ? forges[request.forge] : undefined;
  if (forge === undefined) {
    throw new RequestRefused(
      404,
      'unknown-forge',
      `No forge named ${JSON.stringify(request.forge)} is configured. Use /webhooks/<name> with a name below "forges" in claude-hooks.yaml.`,
    );
  }
  requireJsonPost(request);
  const body = await readBody(request, deps.maxBodyBytes);
  requireSignature(request.headers, body, forge);
  const headers = requireHeaders(readDeliveryHeaders(request.headers), forge);
  faultPoint('webhook.received');
  const acceptance = await acceptTogether(deps.database, {
    forge: forge.name,
    forgeDeliveryId: headers.deliveryId,
    source: 'webhook',
    headers: keptHeaders(request.headers),
    body,
    now: deps.now(),
  });
  faultPoint('webhook.stored');
  return acceptance;
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

/** Stops reading at the limit: a declared length may lie, and a chunked body declares none. */
async function readBody(request: WebhookRequest, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new RequestRefused(
      413,
      'too-large',
      `The body is larger than ${limit} bytes. Raise server.max_body_bytes if your forge sends such deliveries.`,
    );
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  if (size === 0) {
    throw new RequestRefused(400, 'empty-body', 'The body is empty. Send the payload as a JSON document.');
  }
  return Buffer.concat(chunks);
}

function requireSignature(headers: Headers, body: Uint8Array, forge: ForgeConfig): void {
  const check = verifySignature({ headers, body, secrets: [...forge.webhookSecrets] });
  if (check === 'valid') return;
  const where = `forges.${forge.name}.webhook_secret`;
  const sentences: Record<Exclude<typeof check, 'valid'>, string> = {
    missing: `The request carries no signature. Set the hook's secret to the value of ${where}.`,
    empty: `The signature is empty: the hook has no secret. Set it to the value of ${where}.`,
    malformed: `The signature is not a SHA-256 in hexadecimal. Let the forge sign, or sign the raw body with HMAC-SHA256.`,
    wrong: `The signature does not match the body. The hook's secret and ${where} differ; set both to the same value.`,
  };
  throw new RequestRefused(401, `signature-${check}`, sentences[check]);
}

function requireHeaders(reading: DeliveryHeadersOutcome, forge: ForgeConfig) {
  if (reading.kind !== 'ok') throw new RequestRefused(400, 'headers', reading.reason);
  const { kind } = reading.headers;
  if (kind !== 'forgejo' && kind !== 'gitea') {
    throw new RequestRefused(
      400,
      'forge-kind',
      `The headers are of ${kind}, which forge ${forge.name} (${forge.kind}) is not. Point that hook at its own /webhooks/<name>.`,
    );
  }
  return reading.headers;
}

/** What is needed to understand the delivery later. Authorization and cookies are not kept. */
function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (name.startsWith('x-') || name === 'user-agent' || name === 'content-type') kept[name] = value;
  });
  return kept;
}
