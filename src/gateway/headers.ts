/**
 * Which headers cross the gateway, in both directions. Both are lists of what passes: an unknown header is dropped, so
 * that neither a credential of the container's own nor one of ours can get through.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { betasOf } from './admission.ts';
import { OUTWARD_HEADERS } from './allowed.ts';
import type { Credential } from './port.ts';
import { retryAfterMs } from './retry-after.ts';

/** The CLI's headers are names and numbers; the list of betas is the longest. */
const MOST_HEADER = 1000;

const INWARD = new Set([
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
]);
const INWARD_PREFIXES = ['anthropic-ratelimit-'];

/** Upstream takes an OAuth token only with this beta. */
const OAUTH_TOKEN = /^sk-ant-oat/;
const OAUTH_BETA = 'oauth-2025-04-20';

export function outwardHeaders(from: IncomingHttpHeaders, credential: Credential): OutgoingHttpHeaders {
  // guard: headers of the container dropped
  const headers = passing(from, (name) => Object.hasOwn(OUTWARD_HEADERS, name));
  // The body is sent as it was read, so we state its type ourselves.
  headers['content-type'] = 'application/json';
  // An answer is passed on byte for byte, and we read it on the way: it must not be compressed.
  headers['accept-encoding'] = 'identity';
  if (credential.kind === 'api-key') headers['x-api-key'] = credential.value;
  else headers.authorization = `Bearer ${credential.value}`;
  if (credential.kind === 'bearer' && OAUTH_TOKEN.test(credential.value)) {
    headers['anthropic-beta'] = [...new Set([...betasOf(from), OAUTH_BETA])].join(',');
  }
  return headers;
}

/**
 * `secrets`: a header that repeats one of them is dropped. `retry-after` leaves in seconds: the CLI takes no other form
 * and asks again within a second (measured on CLI 2.1.330).
 */
export function inwardHeaders(from: IncomingHttpHeaders, secrets: readonly string[]): OutgoingHttpHeaders {
  const headers = passing(
    from,
    // guard: headers of upstream dropped
    (name) => INWARD.has(name) || INWARD_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  const waitMs = retryAfterMs(from, Date.now());
  delete headers['retry-after-ms'];
  // guard: retry-after in seconds
  if (waitMs !== null) headers['retry-after'] = String(Math.ceil(waitMs / 1000));
  for (const [name, value] of Object.entries(headers)) {
    if (secrets.some((secret) => secret !== '' && String(value).includes(secret))) delete headers[name];
  }
  return headers;
}

function passing(from: IncomingHttpHeaders, passes: (name: string) => boolean): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(from)) {
    if (value !== undefined && String(value).length <= MOST_HEADER && passes(name)) kept[name] = value;
  }
  return kept;
}
