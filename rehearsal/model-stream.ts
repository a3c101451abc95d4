/** A reply in the API's two forms: one JSON object, or the server-sent events of a stream. */
import { randomBytes } from 'node:crypto';
import type { Usage } from './model-cache.ts';

export interface ReplyContent {
  /** '' for none */
  text: string;
  tools: { name: string; input: unknown }[];
}

export interface ReplyMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: ReplyBlock[];
  stop_reason: 'end_turn' | 'tool_use' | 'refusal' | 'max_tokens';
  stop_sequence: null;
  usage: Usage;
}

type ReplyBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

export interface StreamEvent {
  event: string;
  data: Record<string, unknown>;
}

/** Where in a stream something goes wrong. `request`: before the response headers. */
export const STAGES = ['request', 'headers', 'first_event', 'half', 'before_stop'] as const;
export type Stage = (typeof STAGES)[number];

/** The API's ids are a prefix and 24 letters and digits; 96 random bits keep them unique over restarts. */
export function newId(prefix: 'msg' | 'toolu' | 'req'): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

export function buildMessage(model: string, content: ReplyContent, usage: Usage): ReplyMessage {
  const text: ReplyBlock[] = content.text === '' ? [] : [{ type: 'text', text: content.text }];
  const calls = content.tools.map(
    (call): ReplyBlock => ({ type: 'tool_use', id: newId('toolu'), name: call.name, input: call.input }),
  );
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model,
    content: [...text, ...calls],
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage,
  };
}

/** An answer that does not come to its end. Its text stands as it was until then, and no tool is called. */
export function endedEarly(
  message: ReplyMessage,
  { text, reason }: { text: string; reason: 'refusal' | 'max_tokens' },
): ReplyMessage {
  return { ...message, content: text === '' ? [] : [{ type: 'text', text }], stop_reason: reason };
}

export function streamEvents(message: ReplyMessage): StreamEvent[] {
  const opening = {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...message.usage, output_tokens: 1 },
  };
  return [
    event('message_start', { message: opening }),
    event('ping', {}),
    ...message.content.flatMap(blockEvents),
    event('message_delta', {
      delta: { stop_reason: message.stop_reason, stop_sequence: null },
      usage: message.usage,
    }),
    event('message_stop', {}),
  ];
}

/** How many events go out before the fault of this stage. */
export function eventsBefore(stage: Stage, events: readonly StreamEvent[]): number {
  switch (stage) {
    case 'request':
    case 'headers':
      return 0;
    case 'first_event':
      return 1;
    case 'half':
      return Math.floor(events.length / 2);
    case 'before_stop':
      return events.length - 1;
  }
}

export function encodeEvent({ event, data }: StreamEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function blockEvents(block: ReplyBlock, index: number): StreamEvent[] {
  const start = block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
  const deltas =
    block.type === 'text'
      ? pieces(block.text).map((text) => ({ type: 'text_delta', text }))
      : pieces(JSON.stringify(block.input)).map((json) => ({ type: 'input_json_delta', partial_json: json }));
  return [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
}

function event(type: string, data: Record<string, unknown>): StreamEvent {
  return { event: type, data: { type, ...data } };
}

/** At least two pieces where the text allows it, so that `half` cuts inside a block. Pieces are whole code points. */
function pieces(text: string): string[] {
  const points = [...text];
  const size = Math.max(1, Math.min(40, Math.ceil(points.length / 2)));
  const out: string[] = [];
  for (let at = 0; at < points.length; at += size) out.push(points.slice(at, at + size).join(''));
  return out;
}
