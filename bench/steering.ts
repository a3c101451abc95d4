/**
 * How soon words reach the model: into a run that is under way; and, where none is, with the default configuration, beside
 * the commit before steering was built.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEV, OWNER, REPOSITORY } from '../test/support/service-config.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { checkOutEarlier } from './earlier.ts';
import { atMost, figure, type PartReport, SUMMARY_HEAD, shareAtMost, summaryCells } from './report.ts';
import { type BenchStage, openStage } from './stage.ts';
import { medianOf, summarise } from './summary.ts';

/** The last commit whose comments waited for the end of a run and for a quiet window of 5 s. */
const BEFORE = '59bd644';
const LONGEST_P95_MS = 2000;
const LONGEST_EYES_MS = 1000;
/** A sixth, as two figures show it. */
const HIGHEST_SHARE = 0.17;

/** A run of many short steps: each ends at a boundary at which words are taken. */
const STEPS = 200;
const SCRIPT = `scenes:
  - name: long
    when: { prompt: work for long }
    steps:
${'      - tools: [{ name: Bash, input: { command: sleep 0.3 } }]\n'.repeat(STEPS)}      - text: Done.
fallback: { text: I have read it. }`;

export async function measureSteering(bench: Bench): Promise<PartReport> {
  const [sqlite] = bench.databases;
  const words = bench.quick ? 3 : 20;
  const rounds = bench.quick ? 2 : 8;
  const now = await openField(bench, sqlite!, 'steering-now');
  const earlier = await openField(bench, sqlite!, 'steering-before', await checkOutEarlier(bench, BEFORE));
  const idle: Record<'now' | 'before', number[]> = { now: [], before: [] };
  const eyes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const both = [
      async () => {
        const shown = untilShown(now);
        idle.now.push(await untilAsked(now, `Round ${round}: what do you think?`));
        eyes.push(await shown);
      },
      async () => idle.before.push(await untilAsked(earlier, `Round ${round}: what do you think?`)),
    ];
    // In turn, so that a slow minute hits both.
    for (const one of round % 2 === 0 ? both : both.toReversed()) await one();
  }
  const steered = await steeredWords(now, words);
  const p95 = percentile95(steered);
  bench.say(
    `  into a run: p95 ${figure(p95)} ms; without one: ${figure(medianOf(idle.now))} ms; eyes: p95 ${figure(percentile95(eyes))} ms`,
  );
  await now.close();
  await earlier.close();
  const row = (name: string, values: number[]) => [name, ...summaryCells(summarise(values))];
  return {
    title: 'Steering',
    method: [
      `From the comment's acceptance by the forge to the model's first request that has it; SQLite, the service in a process of its own. *Into a run*: ${words} comments, one after another, to a run that calls a tool of 0.3 s again and again. *Without a run*: ${rounds} comments in a resumed session with the default configuration, in turn with the commit ${BEFORE}, whose quiet window was 5 s.`,
    ],
    goals: [
      atMost('Steering: a comment into a run (p95)', p95, LONGEST_P95_MS, 'ms'),
      atMost('Steering: eyes on a comment (p95)', percentile95(eyes), LONGEST_EYES_MS, 'ms'),
      shareAtMost(
        `Steering: a comment without a run, as a share of the time of ${BEFORE} (median)`,
        medianOf(idle.now),
        medianOf(idle.before),
        HIGHEST_SHARE,
      ),
    ],
    tables: [
      {
        caption: 'From the comment to the model, in ms',
        head: ['', ...SUMMARY_HEAD],
        rows: [
          row('into a run', steered),
          row('without a run', idle.now),
          row('without a run, until its eyes are on the forge', eyes),
          row(`without a run, ${BEFORE}`, idle.before),
        ],
      },
    ],
  };
}

function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1]!;
}

async function openField(
  bench: Bench,
  database: BenchDatabase,
  name: string,
  cli?: string,
): Promise<BenchStage> {
  const at = await openStage(bench, {
    databaseUrl: await database.fresh(name),
    script: SCRIPT,
    concurrency: 2,
    marks: null,
    usualWaits: true,
    ...(cli === undefined ? {} : { cli }),
  });
  const issue = { title: 'Greeting is broken', body: 'It says undefined.', assignees: [DEV] };
  await at.stage.forge.as(OWNER).createIssue(REPOSITORY, issue);
  await at.firstTurn(0);
  await at.settled();
  return at;
}

/** Milliseconds from the next comment until the agent has shown that it was heard. */
async function untilShown({ stage }: BenchStage): Promise<number> {
  const { state } = stage.forge;
  const known = { comments: state.comments.length, reactions: state.reactions.length };
  while (state.comments.length === known.comments) await sleep(1);
  const accepted = Date.now();
  while (state.reactions.length === known.reactions) await sleep(5);
  return Date.now() - accepted;
}

/** Milliseconds until the model is asked with these words. */
async function untilAsked({ stage, settled }: BenchStage, text: string): Promise<number> {
  const ms = await untilSeen({ stage }, text);
  await settled();
  return ms;
}

async function untilSeen({ stage }: Pick<BenchStage, 'stage'>, text: string): Promise<number> {
  const from = stage.model.requests.length;
  await stage.forge.as(OWNER).comment(REPOSITORY, 1, text);
  const accepted = Date.now();
  for (;;) {
    const asked = stage.model.requests
      .slice(from)
      .find((r) => r.kind === 'turn' && JSON.stringify(r.messages).includes(text));
    if (asked !== undefined) return Date.now() - accepted;
    await sleep(5);
  }
}

async function steeredWords(at: BenchStage, count: number): Promise<number[]> {
  await untilSeen(at, `@${DEV} work for long`);
  const all: number[] = [];
  for (let n = 0; n < count; n++) {
    all.push(await untilSeen(at, `Remark ${n} of many, in a run.`));
    await sleep(100 + ((n * 137) % 400));
  }
  return all;
}
