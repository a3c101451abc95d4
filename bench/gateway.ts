/** What the gateway costs: time added to a request, and the speed of a streamed answer, against asking directly. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differenceOfMedians } from './bare-cli.ts';
import type { Bench } from './bench.ts';
import type { Wish } from './gateway-process.ts';
import { atMost, figure, type Goal, type PartReport, SUMMARY_HEAD, summaryCells } from './report.ts';
import { folderIn } from './stage.ts';
import { medianOf, summarise } from './summary.ts';

const MOST_ADDED_MS = 3;
const LEAST_SHARE = 0.95;
const MOST_BLOCKED_MS = 20;
/** The CLI's first request of a session is about this long, system prompt and tools included. */
const BODY_BYTES = 50_000;
/** A quick model writes some hundred tokens a second; this is several times that, in several runs at once. */
const PACE = { streams: 4, events: 4000, eventsPerSecond: 1000 };

export interface Way {
  name: 'direct' | 'through the gateway';
  target: { socketPath: string } | { host: string; port: number };
  agent: Agent;
  firstByte: number[];
  whole: number[];
  /** events a second, of all streams together */
  paced: number[];
  /** MB a second, of one stream that is as fast as it can be */
  unpaced: number[];
}

export async function measureGateway(bench: Bench): Promise<PartReport> {
  const size = bench.quick
    ? { requests: 60, rounds: 1, megabytes: 32 }
    : { requests: 1000, rounds: 5, megabytes: 256 };
  const { ways, gateway } = await openWays(bench);
  for (const way of ways) for (let n = 0; n < 20; n++) await ask(way, { events: 20, eventsPerSecond: null });
  for (let n = 0; n < size.requests; n++) for (const way of turn(ways, n)) await measureRequest(way);
  for (let round = 0; round < size.rounds; round++) {
    for (const way of turn(ways, round)) await measurePaced(way);
    for (const way of turn(ways, round)) await measureUnpaced(way, size.megabytes);
  }
  const blocked = await measureLarge(ways[1]!, gateway, size.rounds);
  for (const { agent } of ways) agent.destroy();
  return report(ways, size, blocked);
}

/** First one, then the other comes first, so that a slow moment hits both. */
function turn(ways: Way[], n: number): Way[] {
  return n % 2 === 0 ? ways : ways.toReversed();
}

async function openWays(bench: Bench): Promise<{ ways: Way[]; gateway: ChildProcess }> {
  const sqlite = bench.databases.find(({ name }) => name === 'SQLite')!;
  const { address: url } = await started(bench, ['upstream']);
  const database = await sqlite.fresh('gateway');
  const folder = join(folderIn(bench.folder, 'gateway'), 'run');
  const { address: socketPath, child } = await started(bench, ['gateway', url, database, folder]);
  const { hostname: host, port } = new URL(url);
  const way = (name: Way['name'], target: Way['target']): Way => {
    const agent = new Agent({ keepAlive: true });
    return { name, target, agent, firstByte: [], whole: [], paced: [], unpaced: [] };
  };
  const ways = [way('direct', { host, port: Number(port) }), way('through the gateway', { socketPath })];
  return { ways, gateway: child };
}

async function started(bench: Bench, args: string[]): Promise<{ address: string; child: ChildProcess }> {
  const child: ChildProcess = fork(fileURLToPath(new URL('gateway-process.ts', import.meta.url)), args);
  bench.atEnd(async () => {
    if (child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  });
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`bench/gateway-process.ts ${args[0]} ended with code ${code}. Read its output above.`);
    }),
  ])) as [{ address: string }];
  return { address: message.address, child };
}

const FILLING = 'x'.repeat(BODY_BYTES);

/** Milliseconds to the first byte and to the end, and how many bytes came. */
export async function ask(
  way: Way,
  wish: Wish,
  content: unknown = FILLING,
): Promise<{ first: number; whole: number; bytes: number }> {
  const body = JSON.stringify({
    model: 'claude-opus-5-5',
    system: JSON.stringify(wish),
    messages: [{ role: 'user', content }],
    stream: true,
  });
  const began = performance.now();
  const sent = request({
    ...way.target,
    agent: way.agent,
    method: 'POST',
    path: '/v1/messages?beta=true',
    headers: { host: 'localhost', 'content-type': 'application/json', 'content-length': body.length },
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let first = 0;
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    if (bytes === 0) first = performance.now() - began;
    bytes += chunk.length;
  });
  await once(answer, 'end');
  if (answer.statusCode !== 200)
    throw new Error(`${way.name} was answered ${answer.statusCode}. Run the part alone and look at it.`);
  return { first, whole: performance.now() - began, bytes };
}

async function measureRequest(way: Way): Promise<void> {
  const { first, whole } = await ask(way, { events: 20, eventsPerSecond: null });
  way.firstByte.push(first);
  way.whole.push(whole);
}

async function measurePaced(way: Way): Promise<void> {
  const { streams, events, eventsPerSecond } = PACE;
  const began = performance.now();
  await Promise.all(Array.from({ length: streams }, () => ask(way, { events, eventsPerSecond })));
  way.paced.push((streams * events * 1000) / (performance.now() - began));
}

async function measureUnpaced(way: Way, megabytes: number): Promise<void> {
  const events = Math.ceil((megabytes * 1_000_000) / 130);
  const { whole, bytes } = await ask(way, { events, eventsPerSecond: null });
  way.unpaced.push(bytes / 1000 / whole);
}

/** The most text that fits, and the most values. */
const LARGE = ['x'.repeat(60_000_000), Array.from({ length: 240_000 }, () => ({ type: 'text', text: 'x' }))];

/** Milliseconds for which the gateway's event loop stood still, at most, while large requests went through. */
async function measureLarge(way: Way, gateway: ChildProcess, rounds: number): Promise<number[]> {
  const blocked: number[] = [];
  for (let round = -1; round < rounds; round++) {
    await longestOf(gateway);
    for (const content of LARGE) await ask(way, { events: 20, eventsPerSecond: null }, content);
    const longest = await longestOf(gateway);
    // The first starts the thread and grows the heap, once for a run.
    if (round >= 0) blocked.push(longest);
  }
  return blocked;
}

async function longestOf(gateway: ChildProcess): Promise<number> {
  gateway.send('longest');
  const [{ longestMs }] = (await once(gateway, 'message')) as [{ longestMs: number }];
  return longestMs;
}

interface Size {
  requests: number;
  rounds: number;
  megabytes: number;
}

function report([direct, through]: Way[], size: Size, blocked: number[]): PartReport {
  const share = medianOf(through!.paced) / medianOf(direct!.paced);
  const added = (of: 'firstByte' | 'whole') => differenceOfMedians(through![of], direct![of]);
  return {
    title: 'Gateway',
    method: [
      `The same scripted Messages API in a process of its own, asked directly over loopback and through the gateway's unix socket, the gateway in another process with its ledger in SQLite, all caps set. ${size.requests} requests each way, in turn, over kept connections: ${BODY_BYTES / 1000} kB out, a streamed answer of 20 events back.`,
      `A streamed answer at a model's pace, generously: ${PACE.streams} at once, ${figure(PACE.eventsPerSecond, 0)} events a second each, every event written by itself. Beside it one answer of ${size.megabytes} MB as fast as the connection takes it, which no model writes: it shows where the gateway's own limit is. ${size.rounds} round(s).`,
      `Two large requests, one of 60 MB of text and one of 960,000 values, each read, compared with the list and written anew: the longest time for which the gateway's event loop did nothing else, of each of ${size.rounds} round(s) after one to warm up.`,
    ],
    goals: [
      atMost(
        'Gateway: added to the first byte of an answer (median)',
        added('firstByte'),
        MOST_ADDED_MS,
        'ms',
      ),
      atMost('Gateway: added to a whole short request (median)', added('whole'), MOST_ADDED_MS, 'ms'),
      shareGoal(share),
      atMost(
        'Gateway: event loop held up by requests of 60 MB (median)',
        medianOf(blocked),
        MOST_BLOCKED_MS,
        'ms',
      ),
    ],
    tables: [
      {
        caption: 'Milliseconds of a request',
        head: ['way', ...SUMMARY_HEAD],
        rows: [direct!, through!].flatMap((way) => [
          [`${way.name}, first byte`, ...summaryCells(summarise(way.firstByte), 2)],
          [`${way.name}, whole`, ...summaryCells(summarise(way.whole), 2)],
        ]),
      },
      {
        caption: 'Streamed answers (median)',
        head: ['way', 'events a second at a model’s pace', 'MB a second without one'],
        rows: [direct!, through!].map((way) => [
          way.name,
          figure(medianOf(way.paced), 0),
          figure(medianOf(way.unpaced), 0),
        ]),
      },
    ],
  };
}

function shareGoal(share: number): Goal {
  return {
    what: 'Gateway: speed of streamed answers, as a share of asking directly',
    wanted: `≥ ${LEAST_SHARE}`,
    measured: figure(share, 3),
    met: share >= LEAST_SHARE,
  };
}
