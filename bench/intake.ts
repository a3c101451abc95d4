/** How much of a bare handler's intake is left when the service's own edge takes the deliveries. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchDatabase } from './bench.ts';
import type { LoadJob, LoadResult } from './load.ts';
import { figure, type Goal, type PartReport, SUMMARY_HEAD, summaryCells, type Table } from './report.ts';
import { medianOf, type Summary, summarise } from './summary.ts';

const KINDS = ['ours', 'bare'] as const;
type Kind = (typeof KINDS)[number];

const CONCURRENCIES = [1, 8, 32];
/** At half its maximum a server has few deliveries at once; more connections only hide nothing. */
const PACED_CONNECTIONS = 64;
const LEAST_SHARE = 0.7;
const LONGEST_P99_MS = 25;

interface Lengths {
  rounds: number;
  seconds: number;
  pacedSeconds: number;
}

export async function measureIntake(bench: Bench): Promise<PartReport> {
  const lengths = bench.quick
    ? { rounds: 1, seconds: 0.5, pacedSeconds: 1 }
    : { rounds: 4, seconds: 1, pacedSeconds: 2 };
  const goals: Goal[] = [];
  const tables: Table[] = [];
  for (const database of bench.databases) {
    const measured = await compare(bench, database, lengths);
    goals.push(...goalsOf(database.name, measured));
    tables.push(throughputTable(database.name, measured), latencyTable(database.name, measured));
  }
  return {
    title: 'Intake',
    method: [
      'Our edge (`createServer` behind @hono/node-server) against a bare Hono handler with signature check, `JSON.parse` and one durable insert into a table without an index. Each server and the load generator is a process of its own; the load is signed Forgejo `issue_comment` deliveries of 11 KB with unique ids over kept-alive connections.',
      `The two take turns in ${lengths.rounds} round(s): first as fast as they go at several concurrencies (${lengths.seconds} s each), then ${lengths.pacedSeconds} s at half of what each reached itself, sent on time whether or not earlier deliveries were answered. A maximum is the best concurrency's median over the rounds.`,
    ],
    goals,
    tables,
  };
}

interface Measured {
  /** requests per second by concurrency, one figure a round */
  rates: Record<Kind, Map<number, number[]>>;
  maximum: Record<Kind, number>;
  paced: Record<Kind, Summary>;
  /** of the load generator at its busiest, share of one processor */
  generator: number;
}

async function compare(bench: Bench, database: BenchDatabase, lengths: Lengths): Promise<Measured> {
  const load = fork(pathOf('load.ts'));
  const servers = {
    ours: await startIntake('ours', await database.fresh('intake-ours')),
    bare: await startIntake('bare', await database.fresh('intake-bare')),
  };
  const rates: Measured['rates'] = { ours: new Map(), bare: new Map() };
  const latencies: Record<Kind, number[]> = { ours: [], bare: [] };
  let generator = 0;
  try {
    for (let round = 0; round < lengths.rounds; round++) {
      for (const connections of CONCURRENCIES) {
        for (const kind of inTurn(round)) {
          const job = { ...servers[kind].target, seconds: lengths.seconds, connections, rate: null };
          const result = await measure(load, job);
          generator = Math.max(generator, result.processor);
          const known = rates[kind].get(connections) ?? [];
          rates[kind].set(connections, [...known, result.answered / result.seconds]);
        }
      }
    }
    const maximum = { ours: best(rates.ours), bare: best(rates.bare) };
    bench.say(
      `  ${database.name}: ${figure(maximum.ours, 0)}/s, bare ${figure(maximum.bare, 0)}/s; generator ${figure(generator * 100, 0)} %`,
    );
    for (let round = 0; round < lengths.rounds; round++) {
      for (const kind of inTurn(round)) {
        const job = {
          ...servers[kind].target,
          seconds: lengths.pacedSeconds,
          connections: PACED_CONNECTIONS,
          rate: maximum[kind] / 2,
        };
        latencies[kind].push(...(await measure(load, job)).latencies);
      }
    }
    const paced = { ours: summarise(latencies.ours), bare: summarise(latencies.bare) };
    return { rates, maximum, paced, generator };
  } finally {
    await Promise.all([end(load), end(servers.ours.child), end(servers.bare.child)]);
  }
}

function inTurn(round: number): Kind[] {
  return round % 2 === 0 ? [...KINDS] : KINDS.toReversed();
}

function best(rates: Map<number, number[]>): number {
  return Math.max(...[...rates.values()].map(medianOf));
}

async function measure(load: ChildProcess, job: LoadJob): Promise<LoadResult> {
  const answered = once(load, 'message');
  load.send(job);
  const [result] = (await answered) as [LoadResult];
  if (result.failed > 0) {
    throw new Error(
      `${result.failed} of ${result.failed + result.answered} deliveries were not accepted. A rate of refusals measures nothing: run the part alone and look at the server's answers.`,
    );
  }
  return result;
}

async function startIntake(kind: Kind, url: string) {
  const child = fork(pathOf('intake-server.ts'), [kind, url]);
  const [target] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`The ${kind} server ended before it listened; its words are above.`);
    }),
  ])) as [{ url: string; secret: string }];
  return { child, target };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function goalsOf(name: string, { maximum, paced }: Measured): Goal[] {
  const share = maximum.ours / maximum.bare;
  return [
    {
      what: `Intake, ${name}: share of the bare handler's requests per second`,
      wanted: `≥ ${LEAST_SHARE}`,
      measured: figure(share, 2),
      met: share >= LEAST_SHARE,
    },
    {
      what: `Intake, ${name}: p99 at half of the maximum`,
      wanted: `< ${LONGEST_P99_MS} ms`,
      measured: `${figure(paced.ours.p99)} ms`,
      met: paced.ours.p99 < LONGEST_P99_MS,
    },
  ];
}

function throughputTable(name: string, { rates, generator }: Measured): Table {
  const row = (kind: Kind, connections: number): string[] => {
    const s = summarise(rates[kind].get(connections)!);
    return [
      kind === 'ours' ? 'our edge' : 'bare handler',
      String(connections),
      ...[s.min, s.median, s.max].map((v) => figure(v, 0)),
      String(s.n),
    ];
  };
  return {
    caption: `Requests per second, ${name} (load generator at most ${figure(generator * 100, 0)} % of one processor)`,
    head: ['server', 'connections', 'min', 'median', 'max', 'rounds'],
    rows: CONCURRENCIES.flatMap((c) => KINDS.map((kind) => row(kind, c))),
  };
}

function latencyTable(name: string, { maximum, paced }: Measured): Table {
  return {
    caption: `Milliseconds to the answer at half of the own maximum, ${name}`,
    head: ['server', 'requests/s', ...SUMMARY_HEAD],
    rows: KINDS.map((kind) => [
      kind === 'ours' ? 'our edge' : 'bare handler',
      figure(maximum[kind] / 2, 0),
      ...summaryCells(paced[kind], 2),
    ]),
  };
}
