/**
 * The usage block of a reply, prompt cache included. Follows the published rules: the prefix order is tools, system,
 * messages; an entry is written at each block that carries `cache_control`, where the prefix is long enough for the
 * model; a lookup goes back from each of those blocks over at most 20 block boundaries; a hit renews the entry's time to
 * live.
 */
import { createHash } from 'node:crypto';
import { blocksOf, type ContentBlock, type MessagesRequest } from './model-request.ts';

/** In tokens. `input_tokens` counts only what stands behind the last cache marker, as in the API. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
}

const CHARACTERS_PER_TOKEN = 4;
const LOOKBACK_BLOCKS = 20;
/**
 * Smallest prefix that Anthropic caches, by model, as published. The last entry is for most models, and for unknown
 * ones.
 */
const LEAST_CACHEABLE_TOKENS: readonly [RegExp, number][] = [
  [/opus-4-[567]|haiku-4-5/, 4096],
  [/3-5-haiku|3-haiku/, 2048],
  [/./, 1024],
];
const FIVE_MINUTES = 5 * 60_000;
const ONE_HOUR = 60 * 60_000;

/** The prompt up to and including one block. */
interface Prefix {
  hash: string;
  tokens: number;
  /** milliseconds its cache entry lives, null where no marker stands */
  ttl: number | null;
}

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

export function countInputTokens(request: MessagesRequest): number {
  return prefixesOf(request).at(-1)?.tokens ?? 0;
}

export class PromptCache {
  readonly #entries = new Map<string, { expires: number; ttl: number }>();

  /** Counts the request as read, written and plain input, and writes its entries. `now` in epoch milliseconds. */
  account(request: MessagesRequest, outputTokens: number, now: number): Usage {
    const prefixes = prefixesOf(request);
    const total = prefixes.at(-1)?.tokens ?? 0;
    const least = leastCacheable(request.model);
    const marked = prefixes.flatMap((prefix, index) =>
      prefix.ttl !== null && prefix.tokens >= least ? [index] : [],
    );
    const hit = this.#longestHit(prefixes, marked, now);
    const read = hit?.tokens ?? 0;
    const cached = Math.max(read, marked.length === 0 ? 0 : prefixes[marked.at(-1)!]!.tokens);
    this.#drop(now);
    for (const index of marked) this.#write(prefixes[index]!, now);
    return {
      input_tokens: total - cached,
      output_tokens: outputTokens,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: cached - read,
    };
  }

  #longestHit(prefixes: Prefix[], marked: number[], now: number): Prefix | null {
    for (const index of marked.toReversed()) {
      for (let at = index; at > index - LOOKBACK_BLOCKS && at >= 0; at -= 1) {
        const entry = this.#entries.get(prefixes[at]!.hash);
        if (entry === undefined || entry.expires <= now) continue;
        entry.expires = now + entry.ttl;
        return prefixes[at]!;
      }
    }
    return null;
  }

  #write(prefix: Prefix, now: number): void {
    const ttl = prefix.ttl ?? FIVE_MINUTES;
    this.#entries.set(prefix.hash, { expires: now + ttl, ttl });
  }

  #drop(now: number): void {
    for (const [hash, entry] of this.#entries) if (entry.expires <= now) this.#entries.delete(hash);
  }
}

function leastCacheable(model: string): number {
  return LEAST_CACHEABLE_TOKENS.find(([pattern]) => pattern.test(model))?.[1] ?? 0;
}

/** When thinking or the choice of tools changes, the cached tools and system stay valid; cached messages do not. */
function messagesKey({ thinking, tool_choice }: MessagesRequest): string {
  return JSON.stringify([thinking ?? null, tool_choice ?? null]);
}

function prefixesOf(request: MessagesRequest): Prefix[] {
  const key = messagesKey(request);
  const parts: [string, { cache_control?: ContentBlock['cache_control'] }][] = [
    ...(request.tools ?? []).map((tool): [string, typeof tool] => ['tool', tool]),
    ...blocksOf(request.system).map((block): [string, ContentBlock] => ['system', block]),
    ...request.messages.flatMap((m) =>
      blocksOf(m.content).map((block): [string, ContentBlock] => [`message ${m.role} ${key}`, block]),
    ),
  ];
  let hash = request.model;
  let tokens = 0;
  return parts.map(([place, block]) => {
    const { cache_control: marker, ...rest } = block;
    const text = JSON.stringify(rest);
    hash = createHash('sha256').update(`${hash}\n${place}\n${text}`).digest('base64');
    tokens += estimateTokens(text);
    return { hash, tokens, ttl: marker ? (marker.ttl === '1h' ? ONE_HOUR : FIVE_MINUTES) : null };
  });
}
