/** What passes the gateway, and what is said to everything else, in the API's own shape. Pure. */

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
/** Compared byte for byte: a path that is only equal after decoding or joining is not equal. */
const PASSING = new Set([MESSAGES, `${MESSAGES}?beta=true`, COUNT, `${COUNT}?beta=true`]);
/** The first is what the CLI says on the socket, the others what it says to the forwarder of `model-socket.ts`. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

export function admit(request: { method: string; url: string; host: string | undefined }): Admission {
  if (!request.url.startsWith('/')) {
    return refusal(403, 'This is no proxy: only paths of the Messages API are taken. Ask for /v1/messages.');
  }
  if (request.host === undefined || !LOCAL_HOST.test(request.host)) {
    return refusal(403, 'Only the host localhost is served here. Set ANTHROPIC_BASE_URL=http://localhost.');
  }
  if (!PASSING.has(request.url)) {
    return refusal(404, `Only POST ${MESSAGES} and POST ${COUNT} pass the gateway. Use one of them.`);
  }
  if (request.method !== 'POST') return refusal(405, `${MESSAGES} takes POST only. Use POST.`);
  return { path: request.url };
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
