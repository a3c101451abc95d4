/**
 * The bare process: no isolation at all. Only used when the configuration asks for it by name.
 *
 * Every process leads a session of its own and carries marks in its environment. By both, `process-tree.ts` finds what a
 * dispatch has started, even after the worker that started it is gone.
 */
import type { ChildProcess } from 'node:child_process';
import { checkMounts, checkSpawn } from './check-spec.ts';
import { isRunning, lockPrefix, startClient } from './client.ts';
import {
  type ContainedProcess,
  type ContainerEngine,
  type ContainerSpec,
  EngineFailed,
  type RunningContainer,
  type SpawnSpec,
  type TerminalContainer,
} from './container.ts';
import { endAll } from './end-processes.ts';
import { ProcessTree } from './process-tree.ts';
import { atOwnTerminal, endOf, markedEnvironment } from './terminal.ts';

export interface ProcessEngineOptions {
  /** absolute path of util-linux `flock`, or null where there is none */
  flock: string | null;
  /** absolute path of `script`, which makes terminals; left out or null: there is none */
  script?: string | null;
}

export const processEngine = (options: ProcessEngineOptions): ContainerEngine => ({
  name: 'process',
  isolates: false,
  unheld: ['memory', 'cpus', 'pids', 'user', 'network', 'mounts'],
  start: async (spec) => start(spec, options),
  startAtTerminal: async (spec, spawn) => start(spec, options).atTerminal(spawn),
  reapOrphans,
});

function start(spec: ContainerSpec, options: ProcessEngineOptions): ProcessContainer {
  checkMounts(spec);
  const moved = spec.mounts.find((mount) => mount.source !== mount.target);
  if (moved !== undefined) {
    throw new EngineFailed(
      `${moved.source} cannot stand at ${moved.target}: a bare process sees this machine as it is.`,
      `Give both the same path, or use bubblewrap, podman or docker.`,
    );
  }
  if (spec.mounts.some(({ over }) => over !== undefined)) {
    throw new EngineFailed(
      'A bare process has no overlays: it sees this machine as it is.',
      'Use bubblewrap, podman or docker.',
    );
  }
  return new ProcessContainer(spec, options);
}

class ProcessContainer implements RunningContainer {
  readonly #spec: ContainerSpec;
  readonly #flock: string | null;
  readonly #script: string | null;
  readonly #children: ChildProcess[] = [];
  /** those that lead a session of their own */
  readonly #leaders: ChildProcess[] = [];

  constructor(spec: ContainerSpec, options: ProcessEngineOptions) {
    this.#script = options.script ?? null;
    this.#spec = spec;
    this.#flock = options.flock;
  }

  spawn(spec: SpawnSpec): ContainedProcess {
    return this.#start(spec, [spec.command, ...spec.args], false) as ContainedProcess;
  }

  atTerminal(spec: SpawnSpec): TerminalContainer {
    const argv = atOwnTerminal(this.#script, [spec.command, ...spec.args], this.#spec);
    return { ended: endOf(this.#start(spec, argv, true)), stop: (graceMs) => this.stop(graceMs) };
  }

  #start(spec: SpawnSpec, argv: readonly string[], atTerminal: boolean): ChildProcess {
    checkSpawn(spec);
    const child = startClient({
      argv: [...lockPrefix(this.#flock, spec.lockFile, 'exec'), ...argv],
      env: markedEnvironment(spec.env, this.#spec, atTerminal),
      cwd: spec.cwd,
      atTerminal,
    });
    this.#children.push(child);
    if (!atTerminal) this.#leaders.push(child);
    return child;
  }

  async stop(graceMs?: number): Promise<void> {
    const { instance, dispatch } = this.#spec;
    const tree = new ProcessTree(
      (mark) => mark.instance === instance && mark.dispatch === dispatch,
      () => this.#leaders.flatMap((child) => child.pid ?? []),
    );
    const find = async () => [
      ...this.#leaders.filter(isRunning).map((child) => child.pid!),
      ...(await tree.running()),
    ];
    await endAll(find, undefined, graceMs);
  }
}

async function reapOrphans(instance: string): Promise<string[]> {
  const tree = new ProcessTree((mark) => mark.instance === instance);
  // guard: orphan reaping
  await endAll(() => tree.running());
  return tree.dispatches;
}
