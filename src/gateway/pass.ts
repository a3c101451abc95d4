/** One request through the gateway: caps, the way out and back, and its row. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { refusal } from './admission.ts';
import type { Exchange, RunAtGateway } from './exchange.ts';
import { outwardHeaders } from './headers.ts';
import type { RequestEntry, Settled } from './ledger.ts';
import { limitOf } from './limits.ts';
import { mostOf } from './most.ts';
import type { CapName } from './port.ts';
import { microUsdOf } from './prices.ts';
import { probeOf, takeRefusal } from './refused.ts';
import { type ErrorAnswer, readError, relayAnswer, sendError, sendRefusal } from './relay.ts';
import { type Upstream, UpstreamFailed } from './upstream.ts';
import { type AnswerRead, blankUsage, readerFor } from './usage.ts';

/** Rows for requests that a cap refused, at most: a program that keeps asking must not fill the database. */
const MOST_CAPPED_ROWS = 20;
/**
 * Bytes of answer events per output token, roughly. Used only where the answer was cut before its count came.
 */
const BYTES_PER_TOKEN = 8;

/** What is known of a request so far. It becomes the request's row. */
interface Course {
  started: number;
  status: number | null;
  outcome: RequestEntry['outcome'];
  firstByteMs: number | null;
  read: AnswerRead | null;
}

export async function passOn(exchange: Exchange): Promise<void> {
  const { at, response, model } = exchange;
  if (answeredFromMemory(exchange)) return;
  const capped = at.tally.begin(model);
  if (capped !== null) return refuseAtCap(exchange, capped);
  const reservation = await reserved(exchange);
  if (reservation === 'refused') return;
  const course: Course = {
    started: performance.now(),
    status: null,
    outcome: 'failed',
    firstByteMs: null,
    read: null,
  };
  const gone = new AbortController();
  response.once('close', () => {
    // guard: request ends with its client
    if (!response.writableFinished) gone.abort();
  });
  try {
    await goThrough(exchange, course, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) course.outcome = 'cut';
    else if (error instanceof UpstreamFailed) answerUnreachable(exchange, error);
    else throw error;
  } finally {
    settle(exchange, course, reservation);
  }
}

async function goThrough(exchange: Exchange, course: Course, signal: AbortSignal): Promise<void> {
  const { answer, secrets } = await askUpstream(exchange, signal);
  const status = answer.statusCode!;
  course.status = status;
  // guard: redirects of upstream
  if (status >= 300 && status < 400) {
    answer.resume();
    return refuseRedirect(exchange, status);
  }
  if (status < 200 || status >= 400) {
    course.firstByteMs = since(course);
    const error = await readError(answer, secrets);
    course.outcome = 'refused';
    const { headers } = answer;
    const toSend = isAnswer(exchange.path)
      ? await takeRefusal(exchange, error, { headers, ask: () => whoseRefusal(exchange, signal, status) })
      : error.toSend;
    if (!isAnswer(exchange.path)) noteLimit(exchange, error.said, headers);
    return sendError(exchange.response, toSend);
  }
  const reader = readerFor(answer.headers['content-type']);
  course.read = reader.read;
  const end = await relayAnswer(answer, exchange.response, {
    reader,
    secrets,
    firstByte: () => {
      course.firstByteMs = since(course);
    },
  });
  const { error, ended } = reader.read;
  if (end === 'ended' || (end === 'gone' && ended)) course.outcome = 'answered';
  else course.outcome = end === 'gone' ? 'cut' : 'failed';
  if (error !== null) noteLimit(exchange, { status, ...error }, answer.headers);
  else if (end === 'ended') lift(exchange, course.read.refusal);
}

/** The CLI continues after a refusal with a note in these words, and would be refused again. */
const AFTER_REFUSAL = 'stopped by a safety classifier';

/** A request that was refused for good is not sent again. */
function answeredFromMemory({ at, response, path, body, question }: Exchange): boolean {
  if (!isAnswer(path)) return false;
  const { refusal: refused } = at.tally;
  if (refused !== null && body.includes(AFTER_REFUSAL)) {
    at.tally.decline(refused);
    const reason = 'The model has refused this by its policy, and is not asked again. Stop here.';
    sendRefusal(response, refusal(402, reason), { 'x-should-retry': 'false' });
    at.refused({ action: `POST ${path}`, reason });
    return true;
  }
  const known = at.memory.answerTo(question);
  if (known === null) return false;
  sendError(response, known);
  at.refused({
    action: `POST ${path}`,
    reason: 'The model has refused the same twice with the same words, so it was not sent again.',
  });
  return true;
}

/** The probe is a request too: a cap may forbid it, and it gets a row. */
async function whoseRefusal(exchange: Exchange, signal: AbortSignal, refused: number) {
  const { at, model } = exchange;
  if (at.tally.begin(model) !== null) return 'unknown';
  const started = performance.now();
  const permit = await at.spending?.permit(
    at.run,
    mostOf(at.prices, { model, body: PROBE_BODY, maxTokens: 1 }),
  );
  if (permit?.kind === 'busy' || permit?.kind === 'spent') return 'unknown';
  const { whose, status, read } = await probeOf(exchange, signal, refused);
  const usage = read?.usage ?? blankUsage();
  const microUsd = microUsdOf(at.prices, read?.model ?? model, usage);
  at.tally.add(usage, microUsd);
  at.ledger.request(
    {
      ...rowOf(at),
      model,
      status,
      outcome: status !== null && status < 300 ? 'answered' : status === null ? 'failed' : 'refused',
      ...columnsOf(usage),
      micro_usd: microUsd,
      first_byte_ms: null,
      total_ms: Math.round(performance.now() - started),
    },
    permit?.kind === 'reserved' ? { id: permit.id, cost: 'known' } : null,
  );
  return whose;
}

/** Sent with the present credential, and once more with its replacement if upstream refuses it. */
async function askUpstream(
  exchange: Exchange,
  signal: AbortSignal,
): Promise<{ answer: IncomingMessage; secrets: string[] }> {
  const { line, credentials } = exchange.at;
  const ask = (upstream: Upstream) =>
    line.ask({
      baseUrl: upstream.baseUrl,
      path: exchange.path,
      headers: outwardHeaders(exchange.request.headers, upstream.credential),
      body: exchange.body,
      signal,
    });
  const first = credentials.current();
  const answer = await ask(first);
  const secrets = [first.credential.value];
  if (answer.statusCode !== 401) return { answer, secrets };
  const second = await credentials.replacementFor(first);
  // guard: rotation of the key
  if (second === null) return { answer, secrets };
  answer.resume();
  return { answer: await ask(second), secrets: [...secrets, second.credential.value] };
}

function noteLimit(
  { at, path, model }: Exchange,
  error: ErrorAnswer,
  headers: IncomingMessage['headers'],
): void {
  const limit = limitOf({ ...error, headers, model, now: at.now() });
  if (limit !== null || isAnswer(path)) at.tally.limit(limit);
}

/** Counting tokens works while answers are limited, so it says nothing about the limit; and it is free. */
function lift({ at, path, question }: Exchange, refused: string | null): void {
  if (!isAnswer(path)) return;
  at.tally.limit(null);
  at.memory.answered(question);
  if (refused !== null) at.tally.noteRefusal(refused || 'its policy forbids an answer');
}

function isAnswer(path: string): boolean {
  return !path.startsWith('/v1/messages/');
}

/**
 * 402 `billing_error` is what the CLI (2.1.330) ends a run at after one request, with our words in its result. It asks
 * six times after a 400 or 422, twice after a 404, sleeps and repeats after 401 and 429, takes a 403 for a failed
 * login, and a 413 for too many images.
 */
function refuseAtCap({ at, response, path, model }: Exchange, capped: CapName): void {
  const isUnpriced = capped === 'max-usd' && microUsdOf(at.prices, model, blankUsage()) === null;
  const reason = isUnpriced
    ? `This run has a cap in dollars (max-usd), and the price of ${model} is not known. Name a listed model, or use a cap in tokens.`
    : `This run has come to its cap (${at.tally.report().cappedWhy ?? capped}), and nothing more is sent to the model. Stop here; a person can raise the cap.`;
  sendRefusal(response, refusal(402, reason), { 'x-should-retry': 'false' });
  at.refused({ action: `POST ${path}`, reason });
  if (at.tally.report().refused > MOST_CAPPED_ROWS) return;
  at.ledger.request({
    ...rowOf(at),
    model,
    status: null,
    outcome: 'capped',
    ...columnsOf(blankUsage()),
    micro_usd: 0,
    first_byte_ms: null,
    total_ms: null,
  });
}

function refuseRedirect({ at, response }: Exchange, status: number): void {
  at.log.warn(
    `The model's side answered with a redirect (${status}), which is never followed with the credential. Set model.upstream to the final address.`,
  );
  const reason = `Upstream answered with a redirect (${status}), which is not followed. Tell the operator.`;
  sendRefusal(response, refusal(502, reason));
}

function answerUnreachable({ at, response }: Exchange, error: UpstreamFailed): void {
  at.log.warn("The model's side could not be reached. Look at model.upstream and at the network.", {
    code: error.code,
    error: error.message,
  });
  if (response.headersSent) response.destroy();
  else
    sendRefusal(
      response,
      refusal(502, `The model's side could not be reached (${error.code}). Try again later.`),
    );
}

/**
 * A budget is asked before each request that costs something. While those under way may cost too much together, this one
 * waits for them; its client may leave at any time.
 */
async function reserved(exchange: Exchange): Promise<string | null | 'refused'> {
  const { at, response, path, model } = exchange;
  if (at.spending === null || !isAnswer(path)) return null;
  const most = mostOf(at.prices, exchange);
  for (const deadline = performance.now() + LONGEST_TURN_MS; ; ) {
    const permit = await at.spending.permit(at.run, most);
    if (permit.kind === 'free') return null;
    if (permit.kind === 'reserved') return permit.id;
    if (permit.kind === 'spent') {
      at.tally.cap(permit.cap, permit.why);
      refuseAtCap(exchange, permit.cap);
      return 'refused';
    }
    if (response.destroyed) return 'refused';
    if (performance.now() > deadline) {
      const busy = 'Requests under way may use up a budget, and none of them has ended. Try again later.';
      sendRefusal(response, refusal(529, busy));
      at.refused({ action: `POST ${path}`, reason: `${busy} (${model})` });
      return 'refused';
    }
    await sleep(ASK_AGAIN_MS);
  }
}

/** Longer than the question of a probe. */
const PROBE_BODY = Buffer.alloc(4096);

/** Longer than an answer takes: the CLI gives up after ten minutes without a byte. */
const LONGEST_TURN_MS = 9 * 60_000;
const ASK_AGAIN_MS = 100;

/** Nobody knows what a request has cost that was cut before the model's side said so. */
function costOf(course: Course): Settled['cost'] {
  return course.outcome === 'cut' && course.read?.billed !== true ? 'unknown' : 'known';
}

function settle({ at, path, model }: Exchange, course: Course, reservation: string | null): void {
  const usage = course.read?.usage ?? blankUsage();
  if (course.read !== null && !course.read.ended) {
    usage.output = Math.max(usage.output, Math.ceil(course.read.answerBytes / BYTES_PER_TOKEN));
  }
  // An answer may name another model than the request did; that one is billed.
  const priced = course.read?.model ?? model;
  const isBilled = course.read !== null && isAnswer(path);
  const microUsd = isBilled ? microUsdOf(at.prices, priced, usage) : 0;
  at.tally.add(usage, microUsd);
  at.ledger.request(
    {
      ...rowOf(at),
      model,
      status: course.status,
      outcome: course.outcome,
      ...columnsOf(usage),
      micro_usd: microUsd,
      first_byte_ms: course.firstByteMs,
      total_ms: since(course),
    },
    reservation === null ? null : { id: reservation, cost: costOf(course) },
  );
}

function rowOf({ run, now }: RunAtGateway) {
  return { dispatch_id: run.dispatchId, conversation_id: run.conversationId, agent: run.agent, at: now() };
}

function columnsOf(usage: AnswerRead['usage']) {
  return {
    input_tokens: usage.input,
    output_tokens: usage.output,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
  };
}

function since({ started }: Course): number {
  return Math.round(performance.now() - started);
}
