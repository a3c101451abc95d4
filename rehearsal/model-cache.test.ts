import { describe, expect, test } from 'vitest';
import { countInputTokens, PromptCache } from './model-cache.ts';
import type { ContentBlock, Message, MessagesRequest } from './model-request.ts';

const MINUTE = 60_000;
const LONG = 'x'.repeat(8000);

function request(messages: Message[], o: { ttl?: string; model?: string } = {}): MessagesRequest {
  const marker = { type: 'ephemeral', ...(o.ttl ? { ttl: o.ttl } : {}) };
  const marked = structuredClone(messages);
  const last = marked.at(-1)!;
  const blocks = typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
  last.content = blocks.map(
    (b, i): ContentBlock => (i === blocks.length - 1 ? { ...b, cache_control: marker } : b),
  );
  return { model: o.model ?? 'm', system: LONG, messages: marked };
}

const first: Message[] = [{ role: 'user', content: 'one' }];
const second: Message[] = [
  ...first,
  { role: 'assistant', content: [{ type: 'text', text: 'answer' }] },
  { role: 'user', content: 'two' },
];

describe('PromptCache', () => {
  test('writes a new prefix, reads it in the next turn, and the parts add up', () => {
    const cache = new PromptCache();
    const a = cache.account(request(first), 5, 0);
    expect(a).toEqual({
      input_tokens: 0,
      output_tokens: 5,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: countInputTokens(request(first)),
    });
    const b = cache.account(request(second), 5, MINUTE);
    expect(b.cache_read_input_tokens).toBe(a.cache_creation_input_tokens);
    expect(b.cache_read_input_tokens + b.cache_creation_input_tokens).toBe(countInputTokens(request(second)));
  });

  test('a changed block breaks the prefix', () => {
    const cache = new PromptCache();
    cache.account(request(first), 1, 0);
    const changed = request(second);
    changed.system = `${LONG}y`;
    expect(cache.account(changed, 1, 1).cache_read_input_tokens).toBe(0);
  });

  test('models do not share a cache', () => {
    const cache = new PromptCache();
    cache.account(request(first), 1, 0);
    expect(cache.account(request(first, { model: 'other' }), 1, 1).cache_read_input_tokens).toBe(0);
  });

  test.each([
    [undefined, 5],
    ['1h', 60],
  ])('an entry with ttl %s lives %i minutes after its last use', (ttl, minutes) => {
    const cache = new PromptCache();
    const read = (at: number) =>
      cache.account(request(first, { ttl }), 1, at * MINUTE).cache_read_input_tokens;
    expect(read(0)).toBe(0);
    expect(read(minutes - 1)).toBeGreaterThan(0);
    expect(read(2 * minutes - 2)).toBeGreaterThan(0);
    expect(read(3 * minutes - 2)).toBe(0);
  });

  test('a marker looks back over 20 blocks, not further', () => {
    const grown = (blocks: number): Message[] => [
      {
        role: 'user',
        content: ['one', ...Array(blocks).keys()].map((n) => ({ type: 'text', text: String(n) })),
      },
    ];
    const near = new PromptCache();
    near.account(request(first), 1, 0);
    expect(near.account(request(grown(19)), 1, 1).cache_read_input_tokens).toBeGreaterThan(0);
    const far = new PromptCache();
    far.account(request(first), 1, 0);
    expect(far.account(request(grown(20)), 1, 1).cache_read_input_tokens).toBe(0);
  });

  test.each([
    ['claude-haiku-4-5', 4096],
    ['claude-3-5-haiku', 2048],
    ['claude-sonnet-5-5', 1024],
  ])('the least that %s caches is %i tokens', (model, least) => {
    const cached = (tokens: number) => {
      const cache = new PromptCache();
      const one = { ...request(first, { model }), system: 'x' };
      const missing = tokens - countInputTokens(one);
      const exact = { ...one, system: 'x'.repeat(1 + 4 * missing) };
      expect(countInputTokens(exact)).toBe(tokens);
      return cache.account(exact, 1, 0).cache_creation_input_tokens;
    };
    expect(cached(least - 1)).toBe(0);
    expect(cached(least)).toBe(least);
  });

  test.each([{ thinking: { type: 'enabled' } }, { tool_choice: { type: 'any' } }])(
    '%j leaves the cached system prompt and nothing of the messages',
    (other) => {
      const cache = new PromptCache();
      const system = [{ type: 'text', text: LONG, cache_control: { type: 'ephemeral' } }];
      const ask = (changes: object) =>
        cache.account({ ...request(first), system, ...changes }, 1, 0).cache_read_input_tokens;
      const total = countInputTokens({ ...request(first), system });
      expect(ask({})).toBe(0);
      expect(ask(other)).toBe(countInputTokens({ model: 'm', system, messages: [] }));
      expect(ask({})).toBe(total);
    },
  );

  test('without a marker, and below the least size, everything is plain input', () => {
    const cache = new PromptCache();
    const bare: MessagesRequest = { model: 'm', system: LONG, messages: first };
    const short: MessagesRequest = { ...request(first), system: 'short' };
    for (const r of [bare, bare, short, short]) {
      expect(cache.account(r, 1, 0)).toMatchObject({
        input_tokens: countInputTokens(r),
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
      });
    }
  });
});
