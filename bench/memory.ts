/** Resident memory of the service: idle, and with dispatches under way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEV, OWNER, REPOSITORY } from '../test/support/service-config.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { atMost, figure, type Goal, type PartReport } from './report.ts';
import { buildPackage } from './serve-process.ts';
import { type BenchStage, openStage } from './stage.ts';
import { medianOf } from './summary.ts';

const LARGEST_IDLE_MB = 120;
const LARGEST_DISPATCH_MB = 15;
const AT_ONCE = [2, 4];
/** The last start-up work is over, and so is the first garbage collection after it. */
const IDLE_SECONDS = 10;
/** What a dispatch does before its CLI waits for the model is over. */
const HELD_SECONDS = 3;

interface Subject {
  name: string;
  database: BenchDatabase;
  /** null: the source, compiled by Node as it loads */
  cli: string | null;
  /** MB of the idle service, one figure a round */
  idle: number[];
  /** MB by the number of dispatches held in the model, one figure a round */
  held: Map<number, number[]>;
  /** MB when they have ended, one figure a round */
  after: number[];
}

export async function measureMemory(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 1 : 2;
  const idleSeconds = bench.quick ? 2 : IDLE_SECONDS;
  const subjects = subjectsOf(bench, await buildPackage(join(bench.folder, 'package')));
  for (let round = 0; round < rounds; round++) await measureRound({ bench, subjects, round, idleSeconds });
  return {
    title: 'Memory',
    method: [
      `Resident set (VmRSS) of \`claude-hooks serve\`, a new process in each of ${rounds} round(s): ${idleSeconds} s after its start, then with ${AT_ONCE.join(' and ')} dispatches whose CLI waits for an answer of the model. The CLIs are processes of their own and not in the figures. The goals are for the service as the package installs it (\`dist/\`); run from \`src/\`, Node's own compiler stays in memory beside it. "Each further one" is the slope between ${AT_ONCE.join(' and ')} dispatches: the first ones also pay for what the process loads once, the Agent SDK above all, which is why the figure for ${AT_ONCE[0]} is the higher one.`,
    ],
    goals: subjects.filter((s) => s.cli !== null).flatMap(goalsOf),
    tables: [
      {
        caption: 'MB (10⁶ bytes), median over the rounds',
        head: [
          'service',
          'idle',
          ...AT_ONCE.map((n) => `${n} dispatches`),
          'each further one',
          'at rest again',
        ],
        rows: subjects.map((s) => [
          s.name,
          figure(medianOf(s.idle)),
          ...AT_ONCE.map((n) => figure(medianOf(s.held.get(n)!))),
          figure(slopeOf(s)),
          figure(medianOf(s.after)),
        ]),
      },
      {
        caption: 'MB above idle for each dispatch, every round',
        head: ['service', ...AT_ONCE.map((n) => `${n} dispatches`)],
        rows: subjects.map((s) => [
          s.name,
          ...AT_ONCE.map((n) =>
            perDispatch(s, n)
              .map((mb) => figure(mb))
              .join(', '),
          ),
        ]),
      },
    ],
  };
}

function subjectsOf(bench: Bench, built: string): Subject[] {
  const subject = (database: BenchDatabase, cli: string | null): Subject => ({
    name: `${cli === null ? 'from `src/`' : 'as installed'}, ${database.name}`,
    database,
    cli,
    idle: [],
    held: new Map(AT_ONCE.map((n) => [n, []])),
    after: [],
  });
  return [...bench.databases.map((d) => subject(d, built)), subject(bench.databases[0]!, null)];
}

/** All wait at once, since a process at rest disturbs nobody; their dispatches run one service after the other. */
async function measureRound(o: {
  bench: Bench;
  subjects: Subject[];
  round: number;
  idleSeconds: number;
}): Promise<void> {
  const { bench, subjects, round, idleSeconds } = o;
  const stages: BenchStage[] = [];
  try {
    for (const { database, cli } of subjects) {
      stages.push(
        await openStage(bench, {
          databaseUrl: await database.fresh(`memory-${round}-${cli === null ? 'source' : 'built'}`),
          script: scriptFor(Math.max(...AT_ONCE)),
          concurrency: Math.max(...AT_ONCE),
          marks: null,
          ...(cli === null ? {} : { cli }),
        }),
      );
    }
    await sleep(idleSeconds * 1000);
    for (const [n, subject] of subjects.entries()) await measureOnce(stages[n]!, subject);
  } finally {
    for (const stage of stages) await stage.close();
  }
}

async function measureOnce(at: BenchStage, into: Subject): Promise<void> {
  into.idle.push(residentMb(at));
  let begun = 0;
  for (const wanted of AT_ONCE) {
    while (begun < wanted) await begin(at, ++begun);
    for (let n = 1; n <= wanted; n++) await at.stage.reached(`held-${n}`);
    await sleep(HELD_SECONDS * 1000);
    into.held.get(wanted)!.push(residentMb(at));
  }
  for (let n = 1; n <= begun; n++) at.stage.model.release(`held-${n}`);
  await at.settled();
  await sleep(HELD_SECONDS * 1000);
  into.after.push(residentMb(at));
}

/** One scene an issue, each with a hold of its own. */
function scriptFor(issues: number): string {
  const scenes = Array.from({ length: issues }, (_, n) => ({
    name: `issue-${n + 1}`,
    when: { prompt: `matter number ${n + 1}\\b` },
    steps: [
      { text: 'I have looked at it.', faults: [{ hold: { name: `held-${n + 1}`, after: 'request' } }] },
    ],
  }));
  return JSON.stringify({ scenes });
}

async function begin(at: BenchStage, n: number): Promise<void> {
  await at.stage.forge.as(OWNER).createIssue(REPOSITORY, {
    title: `Matter number ${n}`,
    body: 'Please look at it.',
    assignees: [DEV],
  });
}

function residentMb({ service }: BenchStage): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024) / 1e6;
}

function perDispatch({ idle, held }: Subject, n: number): number[] {
  return held.get(n)!.map((mb, round) => (mb - idle[round]!) / n);
}

function slopeOf({ held }: Subject): number {
  const [few, many] = [Math.min(...AT_ONCE), Math.max(...AT_ONCE)];
  return medianOf(held.get(many)!.map((mb, round) => (mb - held.get(few)![round]!) / (many - few)));
}

function goalsOf(subject: Subject): Goal[] {
  const name = subject.database.name;
  return [
    atMost(`Memory, ${name}: idle service`, medianOf(subject.idle), LARGEST_IDLE_MB, 'MB'),
    ...AT_ONCE.map((n) =>
      atMost(
        `Memory, ${name}: above idle for each of ${n} dispatches`,
        medianOf(perDispatch(subject, n)),
        LARGEST_DISPATCH_MB,
        'MB',
      ),
    ),
  ];
}
