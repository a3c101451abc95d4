/** `POST /v1/messages` and `/count_tokens`: read, check, find the scene, answer. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Exchange, errorAnswer, scriptedError, sendError, sendJson, sendReply } from './model-answer.ts';
import { countInputTokens, estimateTokens, type PromptCache } from './model-cache.ts';
import { type Conversation, readConversation } from './model-conversation.ts';
import type { FaultCounter, Holds } from './model-faults.ts';
import { type RecordedRequest, sentParts } from './model-record.ts';
import type { MessagesRequest } from './model-request.ts';
import {
  type Cue,
  fill,
  fillStep,
  findCue,
  type TemplateVariables,
  templateVariables,
} from './model-scene.ts';
import type { Fault, ModelScript } from './model-script.ts';
import { isSideRequest, sideText } from './model-side.ts';
import { buildMessage, endedEarly, type ReplyContent, type ReplyMessage } from './model-stream.ts';
import { findInvalid } from './model-validation.ts';

/** The API's own limit for this endpoint. */
const MOST_BODY_BYTES = 32 * 1024 * 1024;

/** What a script is played with; `use` replaces all of it at once. */
export interface Play {
  script: ModelScript;
  faults: FaultCounter;
  holds: Holds;
}

/** All that outlives one request. */
export interface Rehearsal {
  play: Play;
  cache: PromptCache;
  requests: RecordedRequest[];
  /** the one credential that is known; null = all are */
  accepted: string | null;
}

export async function answerMessages(
  incoming: IncomingMessage,
  exchange: Exchange,
  rehearsal: Rehearsal,
): Promise<void> {
  const { record } = exchange;
  const body = await readBody(incoming);
  rehearsal.requests.push(record);
  if (!isKnown(incoming, rehearsal.accepted))
    return sendError(exchange, errorAnswer(401, 'invalid x-api-key'));
  if (body === 'too large') return sendError(exchange, errorAnswer(413, 'Request exceeds the maximum size'));
  if (body === 'no json') return sendError(exchange, errorAnswer(400, 'The request body is not valid JSON'));
  const invalid = findInvalid(body.value);
  if (invalid !== null) {
    recordRaw(record, body.value);
    return sendError(exchange, errorAnswer(400, invalid));
  }
  const request = body.value as MessagesRequest;
  const conversation = readConversation(request);
  recordRequest(record, request, conversation);
  record.sent = sentParts(request, body.bytes);
  if (record.path.endsWith('/count_tokens')) {
    record.kind = 'count_tokens';
    return sendJson(exchange, 200, { input_tokens: countInputTokens(request) });
  }
  return isSideRequest(request)
    ? answerSide(exchange, rehearsal, request, conversation)
    : answerTurn(exchange, rehearsal, request, conversation);
}

function isKnown({ headers }: IncomingMessage, accepted: string | null): boolean {
  if (accepted === null) return true;
  return headers['x-api-key'] === accepted || headers.authorization === `Bearer ${accepted}`;
}

async function answerSide(
  exchange: Exchange,
  rehearsal: Rehearsal,
  request: MessagesRequest,
  conversation: Conversation,
) {
  exchange.record.kind = 'side';
  const { script, holds } = rehearsal.play;
  const content = { text: sideText(request, conversation, script.side.text), tools: [] };
  const message = billedMessage(exchange.record, rehearsal.cache, request, content);
  await sendReply(exchange, { message, fault: null, error: null, holds });
}

async function answerTurn(
  exchange: Exchange,
  rehearsal: Rehearsal,
  request: MessagesRequest,
  conversation: Conversation,
) {
  const { record } = exchange;
  const { script, faults, holds } = rehearsal.play;
  const cue = findCue(script, conversation, request.model);
  const fault = faults.take(cue.key, cue.step.faults);
  const variables = templateVariables(cue, conversation, record.at);
  const error = scriptedError(fault, variables);
  record.kind = 'turn';
  record.scene = cue.scene?.name ?? null;
  if (fault?.disconnect) record.answered = 'disconnect';
  if (fault?.stall) record.answered = 'stall';
  if (error !== null) record.answered = 'error';
  if (error !== null && !(fault?.error?.after && record.stream)) return sendError(exchange, error);
  const message = answerOf(fault, { exchange, rehearsal, request, cue, variables });
  // A connection that is cut before the first byte looks to its client as if nothing had arrived, so nothing is
  // billed.
  if (fault?.disconnect?.after === 'request') record.usage = null;
  await sendReply(exchange, { message, fault, error, holds });
}

function answerOf(
  fault: Fault | null,
  o: {
    exchange: Exchange;
    rehearsal: Rehearsal;
    request: MessagesRequest;
    cue: Cue;
    variables: TemplateVariables;
  },
): ReplyMessage {
  const { exchange, rehearsal, request } = o;
  const reason = fault?.refusal ? 'refusal' : 'max_tokens';
  const early = fault?.[reason];
  if (!early) {
    return billedMessage(exchange.record, rehearsal.cache, request, fillStep(o.cue.step, o.variables));
  }
  exchange.record.answered = reason;
  const text = fill(early.text, o.variables);
  const message = billedMessage(exchange.record, rehearsal.cache, request, { text, tools: [] });
  return endedEarly(message, { text, reason });
}

function billedMessage(
  record: RecordedRequest,
  cache: PromptCache,
  request: MessagesRequest,
  content: ReplyContent,
) {
  const said = content.tools.map((call) => JSON.stringify(call.input)).join('') + content.text;
  record.usage = cache.account(request, Math.max(1, estimateTokens(said)), record.at);
  return buildMessage(request.model, content, record.usage);
}

function recordRequest(record: RecordedRequest, request: MessagesRequest, conversation: Conversation): void {
  record.model = request.model;
  record.stream = request.stream === true;
  record.systemText = conversation.systemText;
  record.tools = (request.tools ?? []).map((tool) => tool.name);
  record.messages = request.messages;
  record.historyMessages = conversation.historyMessages;
  record.prompt = conversation.prompt;
  record.step = conversation.step;
}

/** Refused requests are recorded, too: they show what a broken session sends. */
function recordRaw(record: RecordedRequest, body: unknown): void {
  const { model, messages } = (body ?? {}) as Partial<MessagesRequest>;
  if (typeof model === 'string') record.model = model;
  if (Array.isArray(messages)) record.messages = messages;
}

async function readBody(
  incoming: IncomingMessage,
): Promise<{ value: unknown; bytes: number } | 'too large' | 'no json'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MOST_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MOST_BODY_BYTES) return 'too large';
  try {
    const bytes = Buffer.concat(chunks);
    const gzipped = incoming.headers['content-encoding'] === 'gzip';
    const text = gzipped ? await promisify(gunzip)(bytes, { maxOutputLength: MOST_BODY_BYTES }) : bytes;
    return { value: JSON.parse(text.toString('utf8')), bytes: text.length };
  } catch {
    return 'no json';
  }
}
