/** Writes one answer to the wire, with the fault that the script names for it. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Holds } from './model-faults.ts';
import type { RecordedRequest } from './model-record.ts';
import { fill, type TemplateVariables } from './model-scene.ts';
import type { Fault } from './model-script.ts';
import { encodeEvent, eventsBefore, newId, type ReplyMessage, streamEvents } from './model-stream.ts';

/** One response on its way: `gone` fires when the client has left or the model closes. */
export interface Exchange {
  response: ServerResponse;
  record: RecordedRequest;
  gone: AbortSignal;
}

export interface ErrorAnswer {
  status: number;
  type: string;
  message: string;
  headers: Record<string, string>;
}

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function errorAnswer(
  status: number,
  message?: string,
  headers: Record<string, string> = {},
): ErrorAnswer {
  const type = ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { status, type, message: message ?? (status === 529 ? 'Overloaded' : type), headers };
}

/** The `error` of a fault, with its templates filled in. Other faults have none: null. */
export function scriptedError(fault: Fault | null, variables: TemplateVariables): ErrorAnswer | null {
  if (!fault?.error) return null;
  const { status, type, message, headers } = fault.error;
  const filled = Object.entries(headers).map(([name, value]) => [name, fill(value, variables)]);
  const answer = errorAnswer(status, message && fill(message, variables), Object.fromEntries(filled));
  return { ...answer, type: type ?? answer.type };
}

export function sendError(exchange: Exchange, error: ErrorAnswer): void {
  exchange.record.answered = 'error';
  const body = {
    type: 'error',
    error: { type: error.type, message: error.message },
    request_id: newId('req'),
  };
  sendJson(exchange, error.status, body, error.headers);
}

export function sendJson(
  { response, record }: Exchange,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  record.status = status;
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': newId('req'), ...headers });
  response.end(JSON.stringify(body), () => {
    record.completed = true;
  });
}

/** Sends the reply in the form the client asked for. Resolves when nothing more will be written. */
export async function sendReply(
  exchange: Exchange,
  reply: { message: ReplyMessage; fault: Fault | null; error: ErrorAnswer | null; holds: Holds },
): Promise<void> {
  const events = streamEvents(reply.message);
  const { fault } = reply;
  const stage = fault?.disconnect?.after ?? fault?.stall?.after ?? fault?.hold?.after ?? fault?.error?.after;
  const chunks = exchange.record.stream ? events.map(encodeEvent) : [JSON.stringify(reply.message)];
  // A plain JSON body cannot be cut between events. So every stage but the first means "after the headers".
  const stop = stage === undefined ? -1 : exchange.record.stream ? eventsBefore(stage, events) : 0;
  if (stage === 'request' && !(await meetFault(exchange, reply))) return;
  await pause(fault?.slow?.first_ms, exchange.gone);
  openReply(exchange);
  for (const [index, chunk] of chunks.entries()) {
    if (index === stop && stage !== 'request' && !(await meetFault(exchange, reply))) return;
    if (exchange.gone.aborted) return;
    await write(exchange.response, chunk);
    await pause(fault?.slow?.chunk_ms, exchange.gone);
  }
  exchange.response.end(() => {
    exchange.record.completed = true;
  });
}

function openReply({ response, record }: Exchange): void {
  record.status = 200;
  response.writeHead(200, {
    'content-type': record.stream ? 'text/event-stream; charset=utf-8' : 'application/json',
    'cache-control': 'no-cache',
    'request-id': newId('req'),
  });
  // The headers are sent at once. Otherwise they wait for the first write, and a stall after them looks like one
  // before them.
  response.flushHeaders();
}

/** True when the reply goes on. */
async function meetFault(
  { response, record, gone }: Exchange,
  { fault, error, holds }: { fault: Fault | null; error: ErrorAnswer | null; holds: Holds },
): Promise<boolean> {
  if (fault?.disconnect) {
    response.destroy();
    return false;
  }
  if (error !== null) {
    const data = { type: 'error', error: { type: error.type, message: error.message } };
    response.end(encodeEvent({ event: 'error', data }), () => {
      record.completed = true;
    });
    return false;
  }
  if (fault?.hold) await holds.wait(fault.hold.name, gone);
  if (fault?.stall) await pause(fault.stall.ms ?? Number.POSITIVE_INFINITY, gone);
  return !gone.aborted;
}

/**
 * Waits for the kernel, because destroy() drops what is still queued: the cut would come earlier than the script
 * says.
 */
function write(response: ServerResponse, chunk: string): Promise<void> {
  return new Promise((resolve) => response.write(chunk, () => resolve()));
}

/** Ends early when the client has gone. Infinity waits for just that. */
async function pause(ms: number | undefined, gone: AbortSignal): Promise<void> {
  if (!ms || gone.aborted) return;
  if (ms === Number.POSITIVE_INFINITY) {
    await new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve(), { once: true }));
    return;
  }
  await sleep(ms, undefined, { signal: gone }).catch(() => {});
}
