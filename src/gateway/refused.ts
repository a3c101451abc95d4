/**
 * What is done with a request that upstream refuses: who is at fault, and which words the CLI is answered with.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { errorBody, refusal } from './admission.ts';
import { isOverflow, isPolicy, speaksOfForm } from './error-words.ts';
import type { Exchange } from './exchange.ts';
import { outwardHeaders } from './headers.ts';
import { limitOf, mayBeOfBody } from './limits.ts';
import { askWhose, type ProbeAnswer } from './probe.ts';
import type { ErrorAnswer, ErrorToSend } from './relay.ts';

/** Statuses by which vendors and proxies say that a request exceeds the model's window. */
const OVERFLOW_STATUSES = new Set([400, 404, 413, 422, 424, 500, 502, 503]);
const POLICY_STATUSES = new Set([400, 403, 404, 422, 451]);
/** The CLI repeats a request six times after these. */
const REPEATED_STATUSES = new Set([400, 422]);

/**
 * Records whose refusal it is and answers what the CLI is sent. `ask` sends the probe; it is called only when nothing
 * else tells.
 */
export async function takeRefusal(
  { at, model, question }: Pick<Exchange, 'at' | 'model' | 'question'>,
  { said, toSend }: { said: ErrorAnswer; toSend: ErrorToSend },
  o: { headers: IncomingHttpHeaders; ask: () => Promise<ProbeAnswer['whose']> },
): Promise<ErrorToSend> {
  const words = `${said.type}: ${said.message}`;
  if (OVERFLOW_STATUSES.has(said.status) && isOverflow(words)) {
    at.tally.limit(null);
    return tooLong(said, toSend);
  }
  let limit = limitOf({ ...said, headers: o.headers, model, now: at.now() });
  const whose = limit !== null && mayBeOfBody(said) ? await o.ask() : 'unknown';
  // guard: a refusal of one text is not the credential’s
  if (whose === 'body') limit = null;
  at.tally.limit(limit);
  const isDeclined = POLICY_STATUSES.has(said.status) && isPolicy(words);
  if (limit === null && (isDeclined || whose === 'body')) at.tally.decline(said.message || words);
  if (REPEATED_STATUSES.has(said.status) && !speaksOfForm(words)) {
    at.memory.refused(question, { words, toSend, isSure: whose !== 'unknown' });
  }
  return toSend;
}

/**
 * The CLI compacts its context and asks again when it reads these words. It takes those of other vendors for a bad
 * request.
 */
function tooLong({ message }: ErrorAnswer, { headers }: ErrorToSend): ErrorToSend {
  const said = /prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`;
  const { message: _, ...error } = refusal(400, '');
  const { 'content-length': __, ...others } = headers;
  return {
    status: 400,
    headers: { ...others, 'content-type': 'application/json' },
    text: errorBody({ ...error, message: said }),
  };
}

export function probeOf(
  { at, path, request, model, body }: Exchange,
  signal: AbortSignal,
  refused: number,
): Promise<ProbeAnswer> {
  const upstream = at.credentials.current();
  const headers = outwardHeaders(request.headers, upstream.credential);
  return askWhose({ line: at.line, upstream, path, headers, model, body, refused, signal });
}
