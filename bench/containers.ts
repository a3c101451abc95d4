/** What a container costs: from its start to the model's first request, per engine, against a bare process. */

import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { cliEnvironment } from '../src/agent-runner/environment.ts';
import { LiveInput } from '../src/agent-runner/live-input.ts';
import type { AgentOptions } from '../src/agent-runner/run.ts';
import { runCli } from '../src/agent-runner/run-cli.ts';
import { cliFor } from '../src/container/cli-build.ts';
import { placeOf } from '../src/container/place.ts';
import { cliFolders, createCliFolders } from '../src/sessions/folders.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import type { Bench } from './bench.ts';
import { figure, type PartReport, SUMMARY_HEAD, summaryCells } from './report.ts';
import { medianOf, summarise } from './summary.ts';

/** The same for every bench that starts the CLI by itself. */
export const AGENT: AgentOptions = {
  model: 'claude-sonnet-4-5',
  effort: null,
  tools: null,
  disallowedTools: [],
  maxTurns: null,
  permissionMode: 'bypassPermissions',
  instructions: '',
};

interface Measured {
  engine: TestEngine;
  /** milliseconds from `start` of the container to the first request, and to the end of `stop` */
  first: number[];
  whole: number[];
}

export async function measureContainers(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 3 : 20;
  const socket = join(bench.folder, 'model.sock');
  const script = parseModelScript('fallback: { text: I have read it. }', 'bench');
  const model = await startRehearsalModel({ script, socketPath: socket });
  try {
    const all = testEngines();
    const measured = all
      .filter(({ need }) => need.ok)
      .map((engine): Measured => ({ engine, first: [], whole: [] }));
    // The first run of each finds cold files, and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const m of measured) await measureOnce(bench, model, { m, counted: round > 0 });
    }
    for (const m of measured) bench.say(`  ${m.engine.name}: ${figure(medianOf(m.first))} ms`);
    return report(measured, all, rounds);
  } finally {
    await model.close();
  }
}

async function measureOnce(
  bench: Bench,
  model: RehearsalModel,
  { m, counted }: { m: Measured; counted: boolean },
): Promise<void> {
  const { engine } = m;
  const folder = join(bench.folder, `container-${randomUUID()}`);
  const { place, folders } = await placeIn(engine, folder, model.socketPath!);
  const from = model.requests.length;
  const began = Date.now();
  const container = await engine.engine.start({ ...place.spec, instance: folder, dispatch: randomUUID() });
  const result = await runCli({
    container,
    input: new LiveInput('Say that you have read it.'),
    session: { id: randomUUID(), start: 'new', resumeAt: null },
    cwd: place.cwd,
    env: cliEnvironment({ place, modelRetries: 0, modelIdleSeconds: 60, root: process.getuid?.() === 0 }),
    instructions: null,
    lockFile: join(folders.locks, 'lock'),
    executable: place.cli,
    agent: AGENT,
    tools: [],
    lateMessagesMs: 10_000,
    backgroundMs: 60_000,
    signal: new AbortController().signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
  const ended = Date.now();
  const request = model.requests.slice(from).find(({ kind }) => kind === 'turn');
  if (request === undefined || result.results.at(-1)?.subtype !== 'success') {
    throw new Error(`The CLI came to no answer in ${engine.name}: ${result.thrown ?? result.stderr}`);
  }
  if (counted) {
    m.first.push(request.at - began);
    m.whole.push(ended - began);
  }
  rmSync(folder, { recursive: true, force: true });
}

export async function placeIn(engine: TestEngine, folder: string, socket: string) {
  const folders = cliFolders(folder, 'bench');
  createCliFolders(folders);
  const checkout = join(folder, 'checkout');
  const relay = { root: join(folder, 'relay'), origin: join(folder, 'origin.git') };
  const parts = ['push.git', 'outbox', 'answers', 'programs'].map((part) => join(relay.root, part));
  for (const path of [checkout, relay.origin, ...parts]) mkdirSync(path, { recursive: true });
  const { image, oci } = engine;
  const limits = { memoryBytes: 4 * 2 ** 30, cpus: null, pids: 2048 };
  const place = placeOf(engine.engine, {
    checkout,
    checkoutName: 'bench',
    folders,
    socket,
    cli: await cliFor({ oci, image, executable: null, muslCliPath: null }),
    forwarder: null,
    relay,
    settings: { image, ...limits, user: null, network: 'none', mounts: [] },
    caches: [],
    path: process.env.PATH!,
  });
  return { place, folders };
}

function report(measured: Measured[], all: TestEngine[], rounds: number): PartReport {
  const bare = measured.find(({ engine }) => engine.name === 'process');
  const over = (of: (m: Measured) => number[], m: Measured) =>
    bare === undefined || m === bare ? '' : figure(medianOf(of(m)) - medianOf(of(bare)));
  const table = (caption: string, of: (m: Measured) => number[]) => ({
    caption,
    head: ['engine', ...SUMMARY_HEAD, 'over a bare process'],
    rows: measured.map((m) => [m.engine.name, ...summaryCells(summarise(of(m))), over(of, m)]),
  });
  const missing = all.filter(({ need }) => !need.ok).map(({ name, need }) => `${name} (${need.reason})`);
  return {
    title: 'Containers',
    method: [
      `Each of ${rounds} rounds runs one new session in each engine in turn: the real CLI through the SDK, the whole layout of mounts, limits of memory and processes, the rehearsal model behind a unix socket, the kernel lock in front. Milliseconds. \`docker\` is its command line understood by podman; docker's daemon is not measured.`,
      ...(missing.length === 0 ? [] : [`Not measured: ${missing.join(', ')}.`]),
    ],
    goals: [],
    tables: [
      table('From the start of the container to the first request of the model', (m) => m.first),
      table('From the start of the container until nothing of it is left', (m) => m.whole),
    ],
  };
}
