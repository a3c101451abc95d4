/**
 * Which headers cross the gateway. Both ways a list of what passes: a header that nobody thought of stays behind, so
 * that neither a credential of the container's own nor one of ours finds a way through it.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Credential } from './contract.ts';

const OUTWARD = new Set([
  'accept',
  'content-type',
  'content-encoding',
  'user-agent',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'anthropic-client-capabilities',
  'x-app',
]);
const OUTWARD_PREFIXES = ['x-stainless-', 'x-claude-code-'];

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

/** An OAuth token is only taken with this beta. */
const OAUTH_TOKEN = /^sk-ant-oat/;
const OAUTH_BETA = 'oauth-2025-04-20';

export function outwardHeaders(from: IncomingHttpHeaders, credential: Credential): OutgoingHttpHeaders {
  const headers = passing(from, OUTWARD, OUTWARD_PREFIXES);
  // Whatever comes is passed on as it is, so what we want to read has to come uncompressed.
  headers['accept-encoding'] = 'identity';
  if (credential.kind === 'api-key') headers['x-api-key'] = credential.value;
  else headers.authorization = `Bearer ${credential.value}`;
  if (credential.kind === 'bearer' && OAUTH_TOKEN.test(credential.value)) {
    headers['anthropic-beta'] = withBeta(from['anthropic-beta'], OAUTH_BETA);
  }
  return headers;
}

/** `secrets`: a header in which upstream repeats one of them does not pass. */
export function inwardHeaders(from: IncomingHttpHeaders, secrets: readonly string[]): OutgoingHttpHeaders {
  const headers = passing(from, INWARD, INWARD_PREFIXES);
  for (const [name, value] of Object.entries(headers)) {
    if (secrets.some((secret) => secret !== '' && String(value).includes(secret))) delete headers[name];
  }
  return headers;
}

function passing(
  from: IncomingHttpHeaders,
  names: ReadonlySet<string>,
  prefixes: readonly string[],
): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined) continue;
    if (names.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) kept[name] = value;
  }
  return kept;
}

function withBeta(sent: string | string[] | undefined, beta: string): string {
  const betas = String(sent ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return betas.includes(beta) ? betas.join(',') : [...betas, beta].join(',');
}
