/** What the service adds between an accepted webhook and the model's first request, in a resumed session. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import { cliFolders, createCliFolders } from '../src/sessions/folders.ts';
import { DEV, OWNER, REPOSITORY } from '../test/support/service-config.ts';
import { type CliStart, captureStart, differenceOfMedians, startByHand } from './bare-cli.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import type { Mark } from './marks.ts';
import { atMost, figure, type PartReport, SUMMARY_HEAD, summaryCells, type Table } from './report.ts';
import { type BenchStage, folderIn, openStage } from './stage.ts';
import { medianOf, summarise } from './summary.ts';

const LONGEST_OVERHEAD_MS = 150;

/** Borders of the stages, in the order a dispatch passes them; a stage is named for what ends at its border. */
const STAGES = [
  { border: 'webhook.stored', name: 'store the delivery' },
  { border: 'routing.committed', name: 'route it' },
  { border: 'lease.taken', name: 'lease the conversation' },
  { border: 'forge.answered', name: 'read the forge' },
  { border: 'context.gathered', name: 'prepare the checkout' },
  { border: 'session.planned', name: 'plan the session' },
  { border: 'run.recorded', name: 'compose and record the prompt' },
  { border: 'model', name: 'container, SDK and CLI to the first request' },
] as const;

interface Measured {
  name: string;
  /** milliseconds to the first request: through the service, and by hand */
  service: number[];
  hand: number[];
  /** milliseconds of each stage, in the order of STAGES */
  stages: number[][];
}

export async function measureDispatch(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 3 : 16;
  const fields: Field[] = [];
  try {
    for (const database of bench.databases) fields.push(await openField(bench, database));
    for (let round = 0; round < rounds; round++) {
      for (const field of fields) await measureOnce(field, round);
    }
    const measured = fields.map((f) => f.measured);
    for (const m of measured)
      bench.say(
        `  ${m.name}: ${figure(differenceOfMedians(m.service, m.hand))} ms over ${figure(medianOf(m.hand))} ms`,
      );
    return report(measured, rounds);
  } finally {
    for (const field of fields) await field.at.close();
  }
}

interface Field {
  at: BenchStage;
  start: CliStart;
  folder: string;
  /** the conversation's own CLI folder, to copy */
  config: string;
  measured: Measured;
}

/** One conversation with one answered dispatch behind it, so that every measured one resumes. */
async function openField(bench: Bench, database: BenchDatabase): Promise<Field> {
  const folder = folderIn(bench.folder, `dispatch-${database.name}`);
  const at = await openStage(bench, {
    databaseUrl: await database.fresh('dispatch'),
    script: 'fallback: { text: I have read it. }',
    concurrency: 2,
    marks: join(folder, 'marks'),
  });
  await at.stage.forge.as(OWNER).createIssue(REPOSITORY, {
    title: 'Greeting is broken',
    body: 'The greeting says undefined.',
    assignees: [DEV],
  });
  await at.firstTurn(0);
  await at.settled();
  const measured = { name: database.name, service: [], hand: [], stages: STAGES.map(() => []) };
  return { at, folder, measured, ...(await capture(at, folder)) };
}

/** The command line of a resumed run of this very agent, taken from a run on a copy of its session. */
async function capture(at: BenchStage, folder: string): Promise<{ start: CliStart; config: string }> {
  const { stage, database } = at;
  const session = await database.rows.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
  const checkouts = join(stage.state, 'work', 'checkouts', session.conversation_id);
  const agent = loadConfig({ file: stage.configFile, env: stage.env }).agents.get('dev')!;
  const folders = cliFolders(join(folder, 'capture'), session.conversation_id);
  createCliFolders(folders);
  cpSync(session.config_folder, folders.config, { recursive: true });
  const start = await captureStart({
    folders,
    cwd: join(checkouts, readdirSync(checkouts)[0]!),
    session: { id: session.id, start: 'resume', resumeAt: null },
    prompt: 'ada wrote a comment on the issue: what do you think about it?',
    agent: {
      ...agent,
      effort: agent.effort ?? null,
      tools: agent.tools === null ? null : [...agent.tools],
      disallowedTools: [...agent.disallowedTools],
    },
    model: stage.model,
  });
  return { start, config: session.config_folder };
}

/** First by hand and first through the service in turn, so that a slow minute hits both. */
async function measureOnce(field: Field, round: number): Promise<void> {
  const both = [throughService, byHand];
  for (const one of round % 2 === 0 ? both : both.toReversed()) await one(field, round);
}

async function byHand({ at, folder, config, start, measured }: Field): Promise<void> {
  const copy = join(folder, 'by-hand');
  cpSync(config, copy, { recursive: true });
  measured.hand.push(await startByHand(start, at.stage.model, copy));
  rmSync(copy, { recursive: true });
}

async function throughService({ at, measured }: Field, round: number): Promise<void> {
  const known = at.marksSince(0).length;
  const from = at.stage.model.requests.length;
  await at.stage.forge
    .as(OWNER)
    .comment(REPOSITORY, 1, `@${DEV} what do you think about it? This is question ${round}.`);
  const request = await at.firstTurn(from);
  const borders = bordersOf(at.marksSince(known), request.at);
  measured.service.push(request.at - borders[0]!);
  for (const [n, times] of measured.stages.entries()) times.push(borders[n + 1]! - borders[n]!);
  await at.settled();
  const last = await at.database.rows
    .selectFrom('dispatches')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  if (last.state !== 'succeeded' || last.continuity !== 'resumed') {
    throw new Error(
      `Dispatch ${last.id} is ${last.state} and was ${last.continuity}, not a resumed success: ${last.reason}. Run the part alone and read the service's log.`,
    );
  }
}

function bordersOf(marks: Mark[], request: number): number[] {
  const first = (point: Mark['point']): number => {
    const mark = marks.find((m) => m.point === point);
    if (mark === undefined)
      throw new Error(`The service did not pass ${point}. Keep STAGES in step with src/faults.ts.`);
    return mark.at;
  };
  const gathered = first('context.gathered');
  const lastAnswer = marks.findLast((m) => m.point === 'forge.answered' && m.at <= gathered)!.at;
  return [
    first('webhook.received'),
    ...STAGES.map(({ border }) => {
      if (border === 'model') return request;
      return border === 'forge.answered' ? lastAnswer : first(border);
    }),
  ];
}

function report(measured: Measured[], rounds: number): PartReport {
  return {
    title: 'Dispatch overhead',
    method: [
      `From the moment a signed webhook has arrived to the first request at the model, quiet window 0, in a session that is resumed; against the same CLI started by hand: the same command line and the same opening words as the SDK gives it, \`--resume\` on a copy of the same transcript. The service is \`claude-hooks serve\` in a process of its own; forge and model are the rehearsal's, in another one. ${rounds} rounds, the two in turn.`,
      'The forge reads are HTTP requests to the pocket forge and the checkout is a real `git fetch` from it: a distant forge adds its own round trips. The last stage of the table holds the CLI itself; what of it is ours is the difference to the start by hand.',
    ],
    goals: measured.map((m) =>
      atMost(
        `Dispatch, ${m.name}: added before the model's first request (median)`,
        differenceOfMedians(m.service, m.hand),
        LONGEST_OVERHEAD_MS,
        'ms',
      ),
    ),
    tables: [totalsTable(measured), stagesTable(measured)],
  };
}

function totalsTable(measured: Measured[]): Table {
  return {
    caption: 'Milliseconds to the first request',
    head: ['way', ...SUMMARY_HEAD],
    rows: measured.flatMap((m) => [
      [`through the service, ${m.name}`, ...summaryCells(summarise(m.service), 0)],
      [`by hand, beside it`, ...summaryCells(summarise(m.hand), 0)],
    ]),
  };
}

function stagesTable(measured: Measured[]): Table {
  return {
    caption: 'Where the time goes (median milliseconds; p90 in brackets)',
    head: ['stage', ...measured.map((m) => m.name)],
    rows: [
      ...STAGES.map(({ name }, n) => [
        name,
        ...measured.map((m) => {
          const s = summarise(m.stages[n]!);
          return `${figure(s.median, 0)} (${figure(s.p90, 0)})`;
        }),
      ]),
      [
        'of the last stage, the CLI by hand',
        ...measured.map((m) => {
          const s = summarise(m.hand);
          return `${figure(s.median, 0)} (${figure(s.p90, 0)})`;
        }),
      ],
    ],
  };
}
