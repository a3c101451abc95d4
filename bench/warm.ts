/**
 * What a CLI that was started before its prompt was known would save: `startup({ resume })` under the kernel lock, in
 * the real layout, against the same resume started when the prompt is there. The product does not do this (decision
 * 0015); the figures are what that decision weighs.
 */

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Options, startup } from '@anthropic-ai/claude-agent-sdk';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { cliEnvironment } from '../src/agent-runner/environment.ts';
import { LiveInput } from '../src/agent-runner/live-input.ts';
import { runCli } from '../src/agent-runner/run-cli.ts';
import type { RunningContainer } from '../src/container/container.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import type { Bench } from './bench.ts';
import { AGENT, placeIn } from './containers.ts';
import { atMost, figure, type PartReport, SUMMARY_HEAD, summaryCells } from './report.ts';
import { medianOf, summarise } from './summary.ts';

const LONGEST_MS = 150;
const ENGINES = ['process', 'bubblewrap'];

interface Measured {
  name: string;
  cold: number[];
  warm: number[];
  /** the start that happens before the prompt */
  ahead: number[];
}

export async function measureWarm(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 3 : 20;
  const script = parseModelScript('fallback: { text: I have read it. }', 'bench');
  const socketPath = join(bench.folder, 'warm.sock');
  const model = await startRehearsalModel({ script, socketPath });
  try {
    const engines = testEngines().filter((e) => ENGINES.includes(e.name) && e.need.ok);
    const measured: Measured[] = [];
    for (const engine of engines) {
      const field = await openField(bench, model, engine);
      const m: Measured = { name: engine.name, cold: [], warm: [], ahead: [] };
      for (let round = 0; round < rounds; round++) {
        m.cold.push(await startedCold(field));
        const { ahead, first } = await startedAhead(field);
        m.ahead.push(ahead);
        m.warm.push(first);
      }
      bench.say(`  ${m.name}: ${figure(medianOf(m.warm))} ms warm, ${figure(medianOf(m.cold))} ms cold`);
      measured.push(m);
    }
    return report(measured, rounds);
  } finally {
    await model.close();
  }
}

interface Field {
  model: RehearsalModel;
  engine: TestEngine;
  place: Awaited<ReturnType<typeof placeIn>>['place'];
  folder: string;
  lockFile: string;
  session: string;
}

/** One conversation with one turn behind it. */
async function openField(bench: Bench, model: RehearsalModel, engine: TestEngine): Promise<Field> {
  const folder = join(bench.folder, `warm-${engine.name}`);
  const { place, folders } = await placeIn(engine, folder, model.socketPath!);
  const lockFile = join(folders.locks, 'lock');
  const field = { model, engine, place, folder, lockFile, session: randomUUID() };
  await turn(field, 'new');
  return field;
}

async function startedCold(field: Field): Promise<number> {
  const began = Date.now();
  const at = await turn(field, 'resume');
  return at - began;
}

/** Answers when the model was asked. */
async function turn(field: Field, start: 'new' | 'resume'): Promise<number> {
  const { model, engine, place, lockFile, session } = field;
  const from = model.requests.length;
  const container = await startContainer(field);
  const result = await runCli({
    container,
    input: new LiveInput('Say that you have read it.'),
    session: { id: session, start, resumeAt: null },
    cwd: place.cwd,
    env: environment(field),
    instructions: null,
    lockFile,
    executable: place.cli,
    agent: AGENT,
    tools: [],
    lateMessagesMs: 10_000,
    backgroundMs: 60_000,
    signal: new AbortController().signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
  if (result.results.at(-1)?.subtype !== 'success') {
    throw new Error(`The CLI came to no answer in ${engine.name}: ${result.thrown ?? result.stderr}`);
  }
  return firstTurn(model, from, start === 'resume');
}

async function startedAhead(field: Field): Promise<{ ahead: number; first: number }> {
  const { model } = field;
  const from = model.requests.length;
  const began = Date.now();
  const container = await startContainer(field);
  const warm = await startup({ options: optionsOf(field, container) });
  const ready = Date.now();
  for await (const message of warm.query('Say that you have read it.')) void message;
  await container.stop();
  return { ahead: ready - began, first: firstTurn(model, from, true) - ready };
}

function optionsOf(field: Field, container: RunningContainer): Options {
  const { place, session, lockFile } = field;
  return {
    resume: session,
    cwd: place.cwd,
    model: 'claude-sonnet-4-5',
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    systemPrompt: { type: 'preset', preset: 'claude_code', append: '' },
    settingSources: ['project'],
    env: environment(field),
    pathToClaudeCodeExecutable: place.cli,
    spawnClaudeCodeProcess: ({ command, args, env, cwd }) =>
      container.spawn({
        command,
        args,
        env: Object.fromEntries(Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined)),
        cwd: cwd ?? place.cwd,
        lockFile,
      }),
  };
}

async function startContainer({ engine, place, folder }: Field): Promise<RunningContainer> {
  return await engine.engine.start({ ...place.spec, instance: folder, dispatch: randomUUID() });
}

function environment({ place }: Field): Record<string, string> {
  return cliEnvironment({ place, modelRetries: 0, modelIdleSeconds: 60, root: process.getuid?.() === 0 });
}

function firstTurn(model: RehearsalModel, from: number, resumed: boolean): number {
  const request = model.requests.slice(from).find(({ kind }) => kind === 'turn');
  if (request === undefined || (resumed && request.historyMessages === 0)) {
    throw new Error('The model was asked without the history: what was measured is no resume.');
  }
  return request.at;
}

function report(measured: Measured[], rounds: number): PartReport {
  return {
    title: 'A CLI that waits for its prompt',
    method: [
      `Measured and not built (decision 0015). In each of ${rounds} rounds one session is resumed twice: cold, container and CLI started when the prompt is there; and warm, \`startup({ resume })\` under the kernel lock before, as it would be while the quiet window runs. The history that reached the model is checked in both. What a dispatch does besides (reading the forge, the checkout, the plan) is in the table of stages above and comes on top.`,
    ],
    goals: measured.map((m) =>
      atMost(
        `Warm CLI, ${m.name}: from the prompt to the model's first request (median)`,
        medianOf(m.warm),
        LONGEST_MS,
        'ms',
      ),
    ),
    tables: [
      {
        caption: 'Milliseconds',
        head: ['', ...SUMMARY_HEAD],
        rows: measured.flatMap((m) => [
          [`${m.name}, cold`, ...summaryCells(summarise(m.cold), 0)],
          [`${m.name}, warm`, ...summaryCells(summarise(m.warm), 0)],
          [`${m.name}, the start ahead of it`, ...summaryCells(summarise(m.ahead), 0)],
        ]),
      },
    ],
  };
}
