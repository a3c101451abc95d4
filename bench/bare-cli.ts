/** The Claude Code CLI started by hand: the command line and the first words the SDK gives it, without the SDK. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RehearsalModel } from '../rehearsal/model.ts';
import { cliEnvironment } from '../src/agent-runner/environment.ts';
import { LiveInput } from '../src/agent-runner/live-input.ts';
import type { AgentOptions } from '../src/agent-runner/run.ts';
import { type CliRun, runCli } from '../src/agent-runner/run-cli.ts';
import { cliFor } from '../src/container/cli-build.ts';
import type { ContainedProcess, RunningContainer, SpawnSpec } from '../src/container/container.ts';
import type { CliFolders } from '../src/sessions/folders.ts';
import { medianOf } from './summary.ts';

export interface CliStart {
  spec: SpawnSpec;
  /** the handshake and the prompt, as the SDK writes them */
  input: Buffer;
}

export interface CliTurn {
  folders: CliFolders;
  cwd: string;
  session: CliRun['session'];
  prompt: string;
  agent: AgentOptions;
  model: RehearsalModel;
}

/** Runs one whole turn through the SDK as the service does, and answers how it started the CLI. */
export async function captureStart(turn: CliTurn): Promise<CliStart> {
  const container = new CapturingContainer();
  const report = await runCli({
    container,
    input: new LiveInput(turn.prompt),
    session: turn.session,
    cwd: turn.cwd,
    env: directEnvironment(turn),
    instructions: null,
    lockFile: null,
    executable: await cliFor({ oci: null, image: null, executable: null, muslCliPath: null }),
    agent: turn.agent,
    tools: [],
    lateMessagesMs: 10_000,
    backgroundMs: 60_000,
    signal: new AbortController().signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
  if (container.spec === null || report.results.at(-1)?.subtype !== 'success') {
    throw new Error(
      `The CLI did not come to an answer: ${report.thrown ?? report.stderr}. Run the demo; it shows whether the CLI works here.`,
    );
  }
  return { spec: container.spec, input: openingWords(container.written) };
}

/** The service's environment, without the gateway between CLI and model. */
function directEnvironment({ folders, model }: CliTurn): Record<string, string> {
  const { ANTHROPIC_UNIX_SOCKET: _, ...env } = cliEnvironment({
    place: { ...folders, path: process.env.PATH!, socket: '', forwarder: null, doors: null },
    modelRetries: 0,
    modelIdleSeconds: 120,
    root: process.getuid?.() === 0,
  });
  return { ...env, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'sk-ant-bench-model-key' };
}

class CapturingContainer implements RunningContainer {
  spec: SpawnSpec | null = null;
  readonly written: Buffer[] = [];
  #child: ChildProcess | null = null;

  spawn(spec: SpawnSpec): ContainedProcess {
    this.spec = spec;
    const child = spawn(spec.command, spec.args, { cwd: spec.cwd, env: spec.env, stdio: 'pipe' });
    this.#child = child;
    const write = child.stdin.write.bind(child.stdin) as (...args: unknown[]) => boolean;
    child.stdin.write = (...args: unknown[]) => {
      this.written.push(Buffer.from(args[0] as string | Uint8Array));
      return write(...args);
    };
    return child as ContainedProcess;
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await killed(this.#child);
  }
}

/** Answers to hooks are left out: they belong to a turn that the CLI by hand does not get to. */
function openingWords(written: Buffer[]): Buffer {
  const lines = Buffer.concat(written).toString('utf8').split('\n');
  const opening = lines.filter(
    (line) =>
      line !== '' && ['user', 'control_request'].includes((JSON.parse(line) as { type: string }).type),
  );
  return Buffer.from(opening.map((line) => `${line}\n`).join(''));
}

const PATIENCE_MS = 60_000;

/** Milliseconds from the spawn to the arrival of the CLI's first request for an answer; then it is ended. */
export async function startByHand(start: CliStart, model: RehearsalModel, config: string): Promise<number> {
  const { spec, input } = start;
  const from = model.requests.length;
  const began = Date.now();
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...spec.env, CLAUDE_CONFIG_DIR: config },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {});
  child.stdin.write(input);
  try {
    for (;;) {
      const request = model.requests.slice(from).find((r) => r.kind === 'turn');
      if (request !== undefined) return request.at - began;
      if (child.exitCode !== null || Date.now() - began > PATIENCE_MS) {
        throw new Error(
          `The CLI by hand asked the model nothing (exit code ${child.exitCode}). Run the part alone and look at its folder.`,
        );
      }
      await sleep(5);
    }
  } finally {
    await killed(child);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export function differenceOfMedians(a: readonly number[], b: readonly number[]): number {
  return medianOf(a) - medianOf(b);
}
