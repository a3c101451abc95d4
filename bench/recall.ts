/**
 * How fast a run ends whose work was taken back: as the service ends it, and as the SDK's abort alone would, in turns in one
 * run. After each end the session must resume, with what was asked before in its history.
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { cliEnvironment } from '../src/agent-runner/environment.ts';
import { LiveInput } from '../src/agent-runner/live-input.ts';
import { type CliReport, runCli } from '../src/agent-runner/run-cli.ts';
import type { RunningContainer } from '../src/container/container.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import type { Bench } from './bench.ts';
import { AGENT, placeIn } from './containers.ts';
import { atMost, figure, type PartReport, SUMMARY_HEAD, summaryCells } from './report.ts';
import { medianOf, summarise } from './summary.ts';

/** The router wakes the run at once, a run in another process looks every second; then the forge is asked. */
const LONGEST_MS = 1500;

type Situation = 'a request to the model is held' | 'a tool runs';
const SITUATIONS: readonly Situation[] = ['a request to the model is held', 'a tool runs'];

interface Measured {
  situation: Situation;
  ours: number[];
  alone: number[];
}

export async function measureRecall(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 2 : 10;
  const socketPath = join(bench.folder, 'recall.sock');
  const model = await startRehearsalModel({
    script: parseModelScript(scriptFor(rounds * 2), 'bench'),
    socketPath,
  });
  try {
    const engine = testEngines().find(({ name }) => name === 'process')!;
    const folder = join(bench.folder, 'recall');
    const field: Field = { model, engine, folder, ...(await placeIn(engine, folder, socketPath)) };
    const measured: Measured[] = [];
    for (const situation of SITUATIONS) {
      const m: Measured = { situation, ours: [], alone: [] };
      for (let round = 0; round < rounds; round++) {
        m.ours.push(await measureOnce(field, { situation, round: 2 * round, way: 'ours' }));
        m.alone.push(await measureOnce(field, { situation, round: 2 * round + 1, way: 'alone' }));
      }
      bench.say(
        `  ${situation}: ${figure(medianOf(m.ours), 0)} ms, the SDK alone ${figure(medianOf(m.alone), 0)} ms`,
      );
      measured.push(m);
    }
    return report(measured, rounds);
  } finally {
    await model.close();
  }
}

function scriptFor(rounds: number): string {
  const scenes = Array.from({ length: rounds }, (_, n) => [
    `  - { name: held-${n}, when: { prompt: "Hold round ${n}." }, steps: [{ text: Never said., faults: [{ hold: { name: asked-${n}, after: request } }] }] }`,
    `  - { name: tool-${n}, when: { prompt: "Tool round ${n}." }, steps: [{ tools: [{ name: Bash, input: { command: "touch began-${n} && sleep 60" } }] }, { text: Never said. }] }`,
  ]);
  return `scenes:\n${scenes.flat().join('\n')}\nfallback: { text: I go on. }`;
}

type Field = { model: RehearsalModel; engine: TestEngine; folder: string } & Awaited<
  ReturnType<typeof placeIn>
>;

interface Once {
  situation: Situation;
  round: number;
  way: 'ours' | 'alone';
}

async function measureOnce(field: Field, { situation, round, way }: Once): Promise<number> {
  const { model, place } = field;
  const session = randomUUID();
  const prompt = situation === 'a tool runs' ? `Tool round ${round}.` : `Hold round ${round}.`;
  const abort = new AbortController();
  const ended = run(field, { session, start: 'new', prompt, way, signal: abort.signal });
  if (situation === 'a tool runs') {
    while (!existsSync(join(place.cwd, `began-${round}`))) await sleep(5);
  } else await model.reached(`asked-${round}`);
  const began = performance.now();
  abort.abort('withdrawn');
  await ended;
  const ms = performance.now() - began;
  model.release(`asked-${round}`);
  await requireResumable(field, session, prompt);
  return ms;
}

async function requireResumable(field: Field, session: string, prompt: string): Promise<void> {
  const from = field.model.requests.length;
  const signal = new AbortController().signal;
  const { results, thrown } = await run(field, {
    session,
    start: 'resume',
    prompt: 'Go on.',
    way: 'ours',
    signal,
  });
  const history = JSON.stringify(field.model.requests.slice(from).map(({ messages }) => messages));
  if (results.at(-1)?.subtype === 'success' && history.includes(prompt)) return;
  throw new Error(
    `A stopped session did not resume: ${thrown ?? 'its history lacks the prompt'}. Run the demo; it shows whether the CLI works here.`,
  );
}

interface Turn {
  session: string;
  start: 'new' | 'resume';
  prompt: string;
  way: Once['way'];
  signal: AbortSignal;
}

async function run(field: Field, { session, start, prompt, way, signal }: Turn): Promise<CliReport> {
  const { place, engine, folder, folders } = field;
  const started = await engine.engine.start({ ...place.spec, instance: folder, dispatch: randomUUID() });
  return await runCli({
    container: way === 'ours' ? started : patient(started),
    input: new LiveInput(prompt),
    session: { id: session, start, resumeAt: null },
    cwd: place.cwd,
    env: cliEnvironment({ place, modelRetries: 0, modelIdleSeconds: 60, root: process.getuid?.() === 0 }),
    instructions: null,
    lockFile: join(folders.locks, session),
    executable: place.cli,
    agent: AGENT,
    tools: [],
    lateMessagesMs: 10_000,
    backgroundMs: 60_000,
    signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
}

/** Ends nothing before the CLI has ended by itself. */
function patient(container: RunningContainer): RunningContainer {
  let ended: Promise<unknown> = Promise.resolve();
  return {
    spawn: (spec) => {
      const child = container.spawn(spec);
      ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      return child;
    },
    stop: async () => {
      await ended;
      await container.stop();
    },
  };
}

function report(measured: Measured[], rounds: number): PartReport {
  return {
    title: 'Work that was withdrawn',
    method: [
      `From the abort of a run to the end of its last process, with the real CLI in the process engine, in turns over ${rounds} rounds: as the service does it (the CLI is told to end, and after half a second its processes are ended), and with nothing but the SDK's abort. After each end the session was resumed, and the model was shown what had been asked before; a round without that would have failed.`,
    ],
    goals: measured.map(({ situation, ours }) =>
      atMost(
        `Withdrawn while ${situation}: to the end of the run (median)`,
        medianOf(ours),
        LONGEST_MS,
        'ms',
      ),
    ),
    tables: [
      {
        caption: 'Milliseconds from the abort to the end',
        head: ['while', 'ended by', ...SUMMARY_HEAD],
        rows: measured.flatMap(({ situation, ours, alone }) => [
          [situation, 'the service', ...summaryCells(summarise(ours), 0)],
          [situation, 'the SDK alone', ...summaryCells(summarise(alone), 0)],
        ]),
      },
      {
        caption: 'The service as a share of the SDK alone (medians)',
        head: ['while', 'share'],
        rows: measured.map(({ situation, ours, alone }) => [
          situation,
          figure(medianOf(ours) / medianOf(alone), 2),
        ]),
      },
    ],
  };
}
