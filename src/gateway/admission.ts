/**
 * Which requests the gateway admits, judged by their head, and what every other request is answered, in the API's own
 * shape. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { BETAS, LONG_CONTEXT_BETA } from './allowed.ts';

export interface Refusal {
  status: number;
  /** as the API names it */
  type: string;
  /** for a person or an agent; ends with the remedy */
  message: string;
}

export type Admission = { path: string } | Refusal;

const MESSAGES = '/v1/messages';
const COUNT = '/v1/messages/count_tokens';
/** Paths are compared byte for byte: a path that is equal only after decoding or joining is refused. */
const PASSING = new Set([MESSAGES, `${MESSAGES}?beta=true`, COUNT, `${COUNT}?beta=true`]);
/** The CLI says the first one on the socket; the others it says to the forwarder of `model-socket.ts`. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

export interface Head {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export function admit(head: Head, o: { longContext: boolean }): Admission {
  const admission = admitTarget(head);
  if (isRefusal(admission)) return admission;
  return refusedForm(head.headers) ?? refusedBeta(head.headers, o) ?? admission;
}

function admitTarget({ method, url, headers: { host } }: Head): Admission {
  if (!url.startsWith('/')) {
    return refusal(403, 'This is no proxy: only paths of the Messages API are taken. Ask for /v1/messages.');
  }
  // guard: host of the model’s API
  if (host === undefined || !LOCAL_HOST.test(host)) {
    return refusal(403, 'Only the host localhost is served here. Set ANTHROPIC_BASE_URL=http://localhost.');
  }
  // guard: paths of the model’s API
  if (!PASSING.has(url)) {
    return refusal(404, `Only POST ${MESSAGES} and POST ${COUNT} pass the gateway. Use one of them.`);
  }
  if (method !== 'POST') return refusal(405, `${MESSAGES} takes POST only. Use POST.`);
  return { path: url };
}

/** The list would be worth nothing if we read a body in one way and upstream read it in another. */
function refusedForm(headers: IncomingHttpHeaders): Refusal | null {
  const type = headers['content-type'] ?? '';
  // guard: model: character sets
  if (!/^application\/json(\s*;\s*charset="?utf-8"?)?$/i.test(type)) {
    return refusal(415, 'Only application/json in UTF-8 passes. Send content-type: application/json.');
  }
  // guard: model: compressed bodies
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    return refusal(415, 'Only an uncompressed body passes. Send it without content-encoding.');
  }
  if (headers['anthropic-version'] !== undefined && headers['anthropic-version'] !== VERSION) {
    return refusal(400, `Only version ${VERSION} of the API passes. Send anthropic-version: ${VERSION}.`);
  }
  return null;
}

const VERSION = '2023-06-01';

/**
 * When a refusal names a beta in the API's words, as this one does, the CLI leaves that beta out and asks again.
 */
function refusedBeta(
  headers: IncomingHttpHeaders,
  { longContext }: { longContext: boolean },
): Refusal | null {
  const unlisted = betasOf(headers).find(
    // guard: model: betas
    (beta) => !Object.hasOwn(BETAS, beta) && !(longContext && beta === LONG_CONTEXT_BETA),
  );
  if (unlisted === undefined) return null;
  const name = unlisted.replace(/[^\w.-]/g, '?').slice(0, 80);
  return refusal(
    400,
    `Unexpected value(s) \`${name}\` for the \`anthropic-beta\` header: not on the list of what passes to the model. Leave it out.`,
  );
}

export function betasOf(headers: IncomingHttpHeaders): string[] {
  return String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export function isRefusal(admission: Admission): admission is Refusal {
  return 'status' in admission;
}

const TYPES: Readonly<Record<number, string>> = {
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};

export function refusal(status: number, message: string): Refusal {
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { status, type, message: `claude-hooks: ${message}` };
}

export function errorBody({ type, message }: Refusal): string {
  return JSON.stringify({ type: 'error', error: { type, message } });
}
