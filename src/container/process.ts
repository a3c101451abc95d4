/**
 * The bare process: no isolation at all. Only used when the configuration asks for it by name.
 *
 * Every process leads a session of its own and carries marks in its environment; `process-tree.ts` finds by both what a
 * dispatch has started, also after the worker that started it is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ContainedProcess,
  type ContainerEngine,
  type ContainerSpec,
  LOCK_HELD_EXIT_CODE,
  type RunningContainer,
  type SpawnSpec,
} from './container.ts';
import { DISPATCH_MARK, INSTANCE_MARK, ProcessTree } from './process-tree.ts';

/** Time between SIGTERM and SIGKILL: the CLI needs about 0.4 s to write its last lines. */
const GRACE_MS = 2000;

export interface ProcessEngineOptions {
  /** absolute path of util-linux `flock`, or null where there is none */
  flock: string | null;
}

export const processEngine = (options: ProcessEngineOptions): ContainerEngine => ({
  name: 'process',
  start: async (spec) => new ProcessContainer(spec, options),
  reapOrphans,
});

class ProcessContainer implements RunningContainer {
  readonly #spec: ContainerSpec;
  readonly #flock: string | null;
  readonly #children: ChildProcess[] = [];

  constructor(spec: ContainerSpec, options: ProcessEngineOptions) {
    this.#spec = spec;
    this.#flock = options.flock;
  }

  spawn(spec: SpawnSpec): ContainedProcess {
    const [command, args] = this.#withLock(spec);
    const child = spawn(command, args, {
      cwd: spec.cwd,
      env: {
        ...spec.env,
        [INSTANCE_MARK]: this.#spec.instance,
        [DISPATCH_MARK]: this.#spec.dispatch,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    // A CLI that ended closes its stdin; the SDK's late write must not end the service.
    child.stdin.on('error', () => {});
    this.#children.push(child);
    return child as ContainedProcess;
  }

  /** `-F` execs instead of forking: a signal reaches the CLI, not only flock. */
  #withLock(spec: SpawnSpec): [string, string[]] {
    if (this.#flock === null || spec.lockFile === null) return [spec.command, spec.args];
    const lock = ['-n', '-F', '-E', String(LOCK_HELD_EXIT_CODE), spec.lockFile];
    return [this.#flock, [...lock, spec.command, ...spec.args]];
  }

  async stop(): Promise<void> {
    const { instance, dispatch } = this.#spec;
    const tree = new ProcessTree(
      (mark) => mark.instance === instance && mark.dispatch === dispatch,
      () => this.#children.flatMap((child) => child.pid ?? []),
    );
    await killAll(async () => [
      ...this.#children.filter(isRunning).map((child) => child.pid!),
      ...(await tree.running()),
    ]);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function reapOrphans(instance: string): Promise<string[]> {
  const tree = new ProcessTree((mark) => mark.instance === instance);
  await killAll(() => tree.running());
  return tree.dispatches;
}

/** SIGTERM, a moment to write the last lines, then SIGKILL until nothing is found any more. */
async function killAll(find: () => Promise<number[]>): Promise<void> {
  signalAll(await find(), 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while ((await find()).length > 0 && Date.now() < deadline) await sleep(25);
  for (let round = 0; round < 40; round++) {
    const left = await find();
    if (left.length === 0) return;
    signalAll(left, 'SIGKILL');
    await sleep(25);
  }
  throw new Error(
    `Processes ${(await find()).join(', ')} could not be killed. They are in uninterruptible sleep or belong to another user; end them by hand, then start again.`,
  );
}

function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of new Set(pids)) {
    try {
      process.kill(pid, signal);
    } catch {
      // gone in the meantime
    }
  }
}
