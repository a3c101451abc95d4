/** What the model received and how it answered: the proof that tests and the demo rest on. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Usage } from './model-cache.ts';
import { blocksOf, type Message, type MessagesRequest } from './model-request.ts';

export interface RecordedRequest {
  /** epoch milliseconds */
  at: number;
  path: string;
  /** `turn`: the agent's own conversation; `side`: the CLI's titles, summaries and probes */
  kind: 'turn' | 'side' | 'count_tokens' | 'other';
  model: string;
  stream: boolean;
  /** system prompt, mid-conversation system turns and reminders: all that the CLI says for itself */
  systemText: string;
  tools: string[];
  sent: SentParts;
  /** as received */
  messages: Message[];
  /** user and assistant messages before the current prompt; CLI-made notes do not count */
  historyMessages: number;
  /** text of the last genuine user prompt */
  prompt: string;
  /** tool round trips done since that prompt */
  step: number;
  /** the scene that answered, null for the fallback and for side requests */
  scene: string | null;
  answered: 'reply' | 'error' | 'refusal' | 'max_tokens' | 'disconnect' | 'stall';
  /** HTTP status; 0 where the connection was cut before one was sent */
  status: number;
  /** true when the answer went out to its end; false while it runs, and when the client left or was cut off */
  completed: boolean;
  /** null where nothing was billed */
  usage: Usage | null;
  /** the telling ones; credentials keep their last four characters */
  headers: Record<string, string>;
}

/**
 * Two requests can share a cache when these are equal. They are hashes, because both parts are large and mostly the
 * same.
 */
export interface SentParts {
  /** of the whole request */
  bytes: number;
  /** names, descriptions and schemas, without markers of the cache; '' = none */
  tools: string;
  /** without markers of the cache and the CLI's own billing line, which has a mark of the first prompt in it; '' = none */
  system: string;
}

/** First block of the CLI's system prompt. */
const BILLING_LINE = 'x-anthropic-billing-header:';

export function sentParts({ tools = [], system }: MessagesRequest, bytes: number): SentParts {
  const said = blocksOf(system).filter((block) => block.text?.startsWith(BILLING_LINE) !== true);
  return { bytes, tools: hashOf(tools), system: hashOf(said) };
}

function hashOf(blocks: readonly object[]): string {
  if (blocks.length === 0) return '';
  const bare = JSON.stringify(blocks.map((block) => ({ ...block, cache_control: undefined })));
  return createHash('sha256').update(bare).digest('hex');
}

const KEPT_HEADERS = [
  'anthropic-version',
  'anthropic-beta',
  'user-agent',
  'x-claude-code-session-id',
  'x-stainless-retry-count',
];
const CREDENTIAL_HEADERS = ['x-api-key', 'authorization'];

export function blankRecord(path: string, headers: IncomingHttpHeaders, now: number): RecordedRequest {
  return {
    at: now,
    path,
    kind: 'other',
    model: '',
    stream: false,
    systemText: '',
    tools: [],
    sent: { bytes: 0, tools: '', system: '' },
    messages: [],
    historyMessages: 0,
    prompt: '',
    step: 0,
    scene: null,
    answered: 'reply',
    status: 0,
    completed: false,
    usage: null,
    headers: keptHeaders(headers),
  };
}

function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) if (headers[name] !== undefined) kept[name] = String(headers[name]);
  for (const name of CREDENTIAL_HEADERS)
    if (headers[name] !== undefined) kept[name] = redact(String(headers[name]));
  return kept;
}

/** Four characters tell two credentials apart in a test. Of a short value nothing is shown. */
function redact(value: string): string {
  return value.length < 9 ? '…' : `…${value.slice(-4)}`;
}
