/** One request through the gateway: caps, the way out and back, and its row. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import { refusal } from './admission.ts';
import type { CapName, GatewayRun } from './contract.ts';
import type { CredentialSource } from './credential.ts';
import { outwardHeaders } from './headers.ts';
import type { Ledger, RequestEntry } from './ledger.ts';
import { limitOf } from './limits.ts';
import { microUsdOf, type PriceTable } from './prices.ts';
import { type ErrorAnswer, relayAnswer, relayError, sendRefusal } from './relay.ts';
import type { Tally } from './tally.ts';
import { type Upstream, UpstreamFailed, type UpstreamLine } from './upstream.ts';
import { type AnswerRead, blankUsage, readerFor } from './usage.ts';

/** What the requests of one run share. */
export interface RunAtGateway {
  run: GatewayRun;
  tally: Tally;
  ledger: Ledger;
  line: UpstreamLine;
  credentials: CredentialSource;
  prices: PriceTable;
  log: Log;
  now: () => number;
  /** counts, and records as far as it makes sense, what was refused */
  refused(what: { action: string; reason: string }): void;
}

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  /** as it goes on */
  body: Buffer;
  /** as the request names it; the price goes by what the answer names */
  model: string;
  at: RunAtGateway;
}

/** Rows of what a cap refused: a program that asks on and on must not fill the database. */
const MOST_CAPPED_ROWS = 20;
/** Bytes of an answer's events for each token in them, roughly; used only where the count never came. */
const BYTES_PER_TOKEN = 8;

/** What is known of a request so far; becomes its row. */
interface Course {
  started: number;
  status: number | null;
  outcome: RequestEntry['outcome'];
  firstByteMs: number | null;
  read: AnswerRead | null;
}

export async function passOn(exchange: Exchange): Promise<void> {
  const { at, response, model } = exchange;
  const capped = at.tally.begin(model);
  if (capped !== null) return refuseAtCap(exchange, capped);
  const course: Course = {
    started: performance.now(),
    status: null,
    outcome: 'failed',
    firstByteMs: null,
    read: null,
  };
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    await goThrough(exchange, course, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) course.outcome = 'cut';
    else if (error instanceof UpstreamFailed) answerUnreachable(exchange, error);
    else throw error;
  } finally {
    settle(exchange, course);
  }
}

async function goThrough(exchange: Exchange, course: Course, signal: AbortSignal): Promise<void> {
  const { answer, secrets } = await askUpstream(exchange, signal);
  const status = answer.statusCode!;
  course.status = status;
  if (status >= 300 && status < 400) {
    answer.resume();
    return refuseRedirect(exchange, status);
  }
  if (status < 200 || status >= 400) {
    course.firstByteMs = since(course);
    const error = await relayError(answer, exchange.response, secrets);
    course.outcome = 'refused';
    return noteLimit(exchange, error, answer.headers);
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
  else if (end === 'ended') lift(exchange);
}

/** With the credential of now; once more with its successor when upstream refuses it. */
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
  if (second === null) return { answer, secrets };
  answer.resume();
  return { answer: await ask(second), secrets: [...secrets, second.credential.value] };
}

function noteLimit({ at, path }: Exchange, error: ErrorAnswer, headers: IncomingMessage['headers']): void {
  const limit = limitOf({ ...error, headers, now: at.now() });
  if (limit !== null || isAnswer(path)) at.tally.limit(limit);
}

/** Counting tokens goes on while answers are refused, so it says nothing about the limit; and it costs nothing. */
function lift({ at, path }: Exchange): void {
  if (isAnswer(path)) at.tally.limit(null);
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
    : `This run has come to its cap (${capped}), and nothing more is sent to the model. Stop here; a person can raise the cap.`;
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

function settle({ at, path, model }: Exchange, course: Course): void {
  const usage = course.read?.usage ?? blankUsage();
  if (course.read !== null && !course.read.ended) {
    usage.output = Math.max(usage.output, Math.ceil(course.read.answerBytes / BYTES_PER_TOKEN));
  }
  // An answer may name another model than was asked for, and it is the one that is billed.
  const priced = course.read?.model ?? model;
  const isBilled = course.read !== null && isAnswer(path);
  const microUsd = isBilled ? microUsdOf(at.prices, priced, usage) : 0;
  at.tally.add(usage, microUsd);
  at.ledger.request({
    ...rowOf(at),
    model,
    status: course.status,
    outcome: course.outcome,
    ...columnsOf(usage),
    micro_usd: microUsd,
    first_byte_ms: course.firstByteMs,
    total_ms: since(course),
  });
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
