import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIST_PRICES, microUsdOf } from './prices.ts';
import { type AnswerReader, blankUsage, readerFor, type Usage } from './usage.ts';

const STREAM = [
  'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-opus-5-5","usage":{"input_tokens":10,"cache_read_input_tokens":200,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_1h_input_tokens":20},"output_tokens":1}}}\n\n',
  'event: ping\ndata: {"type":"ping"}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"event: error\\ndata: {\\"usage\\":{\\"output_tokens\\":999}}"}}\n\n',
  'event: message_delta\r\ndata: {"type":"message_delta","usage":{"output_tokens":77,"server_tool_use":{"web_search_requests":2}}}\r\n\r\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
].join('');

const READ: Usage = {
  input: 10,
  output: 77,
  cacheRead: 200,
  cacheWrite: 30,
  cacheWriteHour: 20,
  webSearches: 2,
  isFast: false,
};

function read(reader: AnswerReader, pieces: Buffer[]) {
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return reader.read;
}

test('a stream is read the same however it is cut into pieces', () => {
  const bytes = Buffer.from(STREAM);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 40 }), (cuts) => {
      const borders = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = borders.slice(1).map((to, n) => bytes.subarray(borders[n], to));
      const seen = read(readerFor('text/event-stream; charset=utf-8'), pieces);
      expect(seen).toMatchObject({ usage: READ, model: 'claude-opus-5-5', ended: true, error: null });
    }),
  );
});

test('a stream without its end is not ended, and shows how much of an answer came', () => {
  const cut = STREAM.slice(0, STREAM.indexOf('event: message_delta'));
  const seen = read(readerFor('text/event-stream'), [Buffer.from(cut)]);
  expect(seen).toMatchObject({ ended: false, billed: true, usage: { input: 10, output: 1 } });
  expect(seen.answerBytes).toBeGreaterThan(100);
});

test('an answer in one piece is read, and one that is no JSON is not', () => {
  const message = JSON.stringify({ model: 'claude-haiku-5-5', usage: { input_tokens: 3, output_tokens: 4 } });
  expect(read(readerFor('application/json'), [Buffer.from(message)])).toMatchObject({
    usage: { ...blankUsage(), input: 3, output: 4 },
    model: 'claude-haiku-5-5',
    ended: true,
  });
  expect(read(readerFor('text/html'), [Buffer.from('<html>')])).toMatchObject({
    ended: false,
    usage: blankUsage(),
  });
});

test('a line without an end costs no more memory than its bound, and what follows is read', () => {
  const reader = readerFor('text/event-stream');
  reader.push(Buffer.from('event: content_block_delta\ndata: '));
  for (let n = 0; n < 12; n++) reader.push(Buffer.alloc(1024 * 1024, 'x'));
  reader.push(Buffer.from(`\n\n${STREAM}`));
  expect(reader.read).toMatchObject({ usage: READ, ended: true });
});

test('a hostile count is no count', () => {
  const usage = '{"input_tokens":-5,"output_tokens":1e999,"cache_read_input_tokens":"7"}';
  const seen = read(readerFor('application/json'), [Buffer.from(`{"usage":${usage}}`)]);
  expect(seen.usage).toEqual(blankUsage());
});

test('prices: reads, writes for five minutes and for an hour, searches', () => {
  const perToken = 10 * 4 + 77 * 20 + 200 * 0.2 + 10 * 5 + 20 * 8;
  expect(microUsdOf(LIST_PRICES, 'claude-opus-5-5', READ)).toBe(Math.ceil(perToken + 2 * 10_000));
});

test('a long prompt has a price of its own where the list says so', () => {
  const short = { ...blankUsage(), input: 100_000, output: 10 };
  expect(microUsdOf(LIST_PRICES, 'claude-haiku-5-5', short)).toBe(100_000 * 0.1 + 10 * 0.5);
  const long = { ...short, cacheRead: 1 };
  expect(microUsdOf(LIST_PRICES, 'claude-haiku-5-5', long)).toBe(Math.ceil(100_000 * 0.5 + 10 * 2.5 + 0.05));
});

test.for([
  'claude-opus-4-1-20250805',
  'us.anthropic.claude-opus-4-1-20250805-v1:0',
  'claude-opus-4-1@20250805',
  'claude-opus-4-1[1m]',
  'Claude-Opus-4-1',
])('%s is a name of one model', (name) => {
  expect(microUsdOf(LIST_PRICES, name, { ...blankUsage(), output: 1 })).toBe(75);
});

test('no price: a model that is not listed, an object’s own names, the fast mode', () => {
  for (const name of [null, 'claude-opus-9', 'constructor', '__proto__', 'gpt-5']) {
    expect(microUsdOf(LIST_PRICES, name, READ)).toBe(null);
  }
  expect(microUsdOf(LIST_PRICES, 'claude-opus-5-5', { ...READ, isFast: true })).toBe(null);
});
