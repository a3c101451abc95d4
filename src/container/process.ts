/**
 * The bare process: no isolation at all. Only used when the configuration asks for it by name.
 *
 * Every process leads a group of its own, so that a tool the CLI started dies with it. What an earlier worker left
 * behind is found by the marks in its environment (Linux: /proc), since a group id does not survive in anybody's memory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ContainedProcess,
  type ContainerEngine,
  type ContainerSpec,
  LOCK_HELD_EXIT_CODE,
  type RunningContainer,
  type SpawnSpec,
} from './container.ts';

const INSTANCE_MARK = 'CLAUDE_HOOKS_INSTANCE';
const DISPATCH_MARK = 'CLAUDE_HOOKS_DISPATCH';

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
    const find = async () => [
      ...this.#children.filter(isRunning).map((c) => c.pid!),
      ...(await markedProcesses((mark) => mark.instance === instance && mark.dispatch === dispatch)).map(
        (p) => p.pid,
      ),
    ];
    await killAll(find);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function reapOrphans(instance: string): Promise<string[]> {
  const orphans = await markedProcesses((mark) => mark.instance === instance);
  await killAll(async () => (await markedProcesses((mark) => mark.instance === instance)).map((p) => p.pid));
  return [...new Set(orphans.map((p) => p.dispatch))];
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

interface MarkedProcess {
  pid: number;
  instance: string;
  dispatch: string;
}

/** Linux only; elsewhere nothing is found and the kernel lock alone keeps an orphan apart. */
async function markedProcesses(matches: (mark: MarkedProcess) => boolean): Promise<MarkedProcess[]> {
  if (!existsSync('/proc/self/environ')) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.filter((pid) => pid !== process.pid).map(readMark));
  return found.filter((p) => p !== null).filter(matches);
}

async function readMark(pid: number): Promise<MarkedProcess | null> {
  try {
    const environ = await readFile(`/proc/${pid}/environ`, 'latin1');
    if (!environ.includes(INSTANCE_MARK)) return null;
    const variables = new Map(
      environ.split('\0').map((v) => [v.split('=', 1)[0]!, v.slice(v.indexOf('=') + 1)]),
    );
    const instance = variables.get(INSTANCE_MARK);
    if (instance === undefined || (await isZombie(pid))) return null;
    return { pid, instance, dispatch: variables.get(DISPATCH_MARK) ?? '' };
  } catch {
    return null;
  }
}

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}
