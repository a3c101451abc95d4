/** Whether an answer of upstream is a limit, and until when. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { familyOf, isNoCredit, limitsModel, speaksOfCredential } from './error-words.ts';
import type { GatewayReport } from './port.ts';
import { retryAfterMs } from './retry-after.ts';

type Limit = NonNullable<GatewayReport['limit']>;

export interface ErrorSeen {
  status: number;
  /** the API's own code for it; '' when the body had none */
  type: string;
  message: string;
  headers: IncomingHttpHeaders;
  /** as the request named it */
  model: string;
  now: number;
}

const LIMIT_STATUSES = new Set([401, 402, 403, 429, 529]);
/** Errors that can end a stream that had begun well. There is no status left to tell them by. */
const LIMIT_TYPES: Readonly<Record<string, number>> = {
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  rate_limit_error: 429,
  overloaded_error: 529,
};
/** Null when the answer is no limit. */
export function limitOf(seen: ErrorSeen): Limit | null {
  const status = limitStatus(seen);
  if (status === null) return null;
  const wait = retryAfterMs(seen.headers, seen.now);
  // Other answers carry the windows too, where they say nothing about a refusal.
  const windows = status === 429 ? refusingWindows(seen.headers) : [];
  const times = windows.map(({ until }) => until);
  return {
    status,
    // `retry-after` is not a reset time: the caller backs off further on each repeat.
    until: times.length === 0 ? null : Math.max(...times),
    retryMs: wait ?? 0,
    why: `${seen.type || 'error'}: ${seen.message || `upstream answered ${seen.status}`}`.slice(0, 500),
    model: modelHeld(seen, status, windows),
  };
}

/** The only model that the limit holds; null = every model of the credential. */
function modelHeld({ model, message, headers }: ErrorSeen, status: number, windows: Window[]): string | null {
  if (status !== 429 && status !== 529) return null;
  const claim = headers['anthropic-ratelimit-unified-representative-claim'];
  const named = windows.map(({ name }) => name).filter((name) => name !== 'unified');
  const isOfModel = limitsModel(model, {
    words: message,
    windows: typeof claim === 'string' ? [claim] : named,
  });
  return isOfModel ? familyOf(model) : null;
}

function limitStatus({ status, type, message }: ErrorSeen): number | null {
  if (LIMIT_STATUSES.has(status)) return status;
  if (status === 400) return isNoCredit(message) ? 402 : speaksOfCredential(`${type}: ${message}`);
  return status < 400 ? (LIMIT_TYPES[type] ?? null) : null;
}

/** Unclear whether the key or this request is refused. Only another request tells (`probe.ts`). */
export function mayBeOfBody({ status, message }: Pick<ErrorSeen, 'status' | 'message'>): boolean {
  return status === 403 || (status === 400 && !isNoCredit(message));
}

/**
 * `anthropic-ratelimit-unified-reset` (unix seconds) belongs to the window that refused, unless its status says that it
 * did not. Of the other reset times (`…-tokens-reset`, RFC 3339) only those with `-remaining: 0` count: every answer
 * has them all.
 */
function refusingWindows(headers: IncomingHttpHeaders): Window[] {
  const windows: Window[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const window = /^anthropic-ratelimit-(.+)-reset$/.exec(name)?.[1];
    if (window === undefined || typeof value !== 'string') continue;
    if (!hasRefused(window, headers)) continue;
    const time = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
    if (Number.isFinite(time)) windows.push({ name: window, until: time });
  }
  return windows;
}

interface Window {
  name: string;
  until: number;
}

function hasRefused(window: string, headers: IncomingHttpHeaders): boolean {
  const status = headers[`anthropic-ratelimit-${window}-status`];
  if (window === 'unified') return status === undefined || status === 'rejected';
  if (status !== undefined) return status === 'rejected';
  return Number(headers[`anthropic-ratelimit-${window}-remaining`] ?? Number.NaN) === 0;
}
