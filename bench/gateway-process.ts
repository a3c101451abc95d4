/**
 * The two other processes of the gateway's part: `node gateway-process.ts upstream` is a scripted Messages API,
 * `node gateway-process.ts gateway <url of it> <database url> <folder>` the gateway in front of it. Each tells its
 * address on the channel to the parent and ends with it.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate, openDatabase } from '../src/database/database.ts';
import { LIST_PRICES } from '../src/gateway/prices.ts';
import { createGateway } from '../src/gateway.ts';
import { silentLog } from '../src/log.ts';

/** What the answer to a request is; stands in its system prompt. */
export interface Wish {
  /** events of text; each is about 130 bytes, as the API sends them */
  events: number;
  /** of one answer; null: as fast as the connection takes them */
  eventsPerSecond: number | null;
  /** milliseconds before the first byte; not given: none */
  thinksMs?: number;
}

const say = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const OPENING = say('message_start', {
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
  },
});
const DELTA = say('content_block_delta', {
  index: 0,
  delta: { type: 'text_delta', text: 'about as much text as there is' },
});
const CLOSING = say('message_delta', { delta: {}, usage: { output_tokens: 99 } }) + say('message_stop', {});
const BATCH = 400;

async function upstream(): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { system } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { system: string };
      const wish = JSON.parse(system) as Wish;
      if (wish.thinksMs !== undefined) await sleep(wish.thinksMs);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(OPENING);
      if (wish.eventsPerSecond === null) void unpaced(response, wish.events);
      else paced(response, wish.events, wish.eventsPerSecond);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function unpaced(response: ServerResponse, events: number): Promise<void> {
  const batch = Buffer.from(DELTA.repeat(BATCH));
  for (let left = events; left > 0; left -= BATCH) {
    const piece = left >= BATCH ? batch : Buffer.from(DELTA.repeat(left));
    if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end(CLOSING);
}

/** One event a write, by the clock: a late timer catches up. */
function paced(response: ServerResponse, events: number, perSecond: number): void {
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(events, Math.floor(((performance.now() - began) / 1000) * perSecond));
    for (; sent < due; sent++) response.write(DELTA);
    if (sent < events) return;
    clearInterval(timer);
    response.end(CLOSING);
  }, 1);
}

async function gateway(baseUrl: string, databaseUrl: string, folder: string): Promise<string> {
  const database = openDatabase({ url: databaseUrl });
  await migrate(database);
  const made = await createGateway({
    folder,
    upstream: () => ({ baseUrl, credential: { kind: 'api-key', value: 'sk-ant-bench-model-key' } }),
    refreshCredential: () => {},
    prices: LIST_PRICES,
    database,
    log: silentLog,
    now: Date.now,
  });
  const caps = { requests: 1_000_000, tokens: 1_000_000_000, usd: 1_000_000 };
  const models = { agent: 'claude-opus-5-5', small: null };
  const open = await made.open({
    dispatchId: 'bench',
    conversationId: 'bench',
    agent: 'dev',
    models,
    tools: [],
    caps,
  });
  return open.socketPath;
}

const [, , kind, ...args] = process.argv;
const address = kind === 'upstream' ? await upstream() : await gateway(args[0]!, args[1]!, args[2]!);
process.send?.({ address });
// The longest piece of work between two looks, in processor time: what other processes take on a busy machine is not in it.
let longest = 0;
let before = process.threadCpuUsage();
setInterval(() => {
  const { user, system } = process.threadCpuUsage(before);
  longest = Math.max(longest, user + system);
  before = process.threadCpuUsage();
}, 1);
process.on('message', () => {
  process.send?.({ longestMs: longest / 1000 });
  longest = 0;
});
process.once('disconnect', () => process.exit(0));
