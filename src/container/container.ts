/**
 * The container port: where the CLI of one dispatch runs.
 *
 * Contract, for every adapter:
 * - Order: `start` → any number of `spawn` → `stop`. One container per dispatch; containers may run at once.
 * - The process sees exactly `env`, never the worker's environment. An image's own variables, such as its PATH, are kept
 *   where `env` does not name them, except those that the CLI reads. `cwd` is its folder, and it sees the mounts. An
 *   engine that isolates shows nothing else of this machine, and no network unless `network` says so. One that does not
 *   (`process`) takes only mounts whose `target` equals their `source`. No value of `env` is in an argument list.
 * - Nobody can write what is mounted with access `read`. `unheld` names what an engine cannot enforce of a spec.
 * - Every process can be found again by CLAUDE_HOOKS_INSTANCE and CLAUDE_HOOKS_DISPATCH (environment or label);
 *   by these marks `reapOrphans` finds what an earlier worker of the same instance left behind, and kills it with its
 *   children.
 * - Where the engine can, `spawn` holds the kernel lock `lockFile` for the life of the process: a second holder exits
 *   with LOCK_HELD_EXIT_CODE before it does anything.
 * - `startAtTerminal` is `start` and one command at a terminal that is made for it alone. What is typed at the terminal of this
 *   process, and its size, are passed on. The command never has our terminal itself: whoever has one can type into it.
 *   Nothing else may read this process's standard input meanwhile.
 * - `kill` of a contained process reaches the command itself, also where an engine's client stands in between. A command
 *   that ended by a signal is reported as that signal or as exit code 128 + its number.
 * - `stop` is idempotent, kills the whole process tree (tools included), and resolves when nothing of it is left.
 * - After a crash of the worker the processes may still run; only `reapOrphans` may be trusted to end them.
 * - Errors: a container that cannot start rejects with EngineFailed and the engine's own words, or its process exits
 *   with ENGINE_FAILED_EXIT_CODE. Any other exit code is the command's own and not an error of this port.
 */
import type { Readable, Writable } from 'node:stream';
import { WithRemedy } from '../errors.ts';
import type { EngineName } from '../vocabulary.ts';

export const LOCK_HELD_EXIT_CODE = 75;
/** docker's and podman's own code for "the container did not start" */
export const ENGINE_FAILED_EXIT_CODE = 125;

export interface Mount {
  /** absolute path on this machine; a file, folder or socket that exists */
  source: string;
  /** absolute path inside */
  target: string;
  access: 'read' | 'write';
  /**
   * belongs to this conversation alone: an engine gives it to the container's user where that user is another one
   * outside, too
   */
  owned?: boolean;
  /** belongs to the worker, and the container's user must be able to read it */
  shown?: boolean;
  /**
   * `source` is a folder that nobody may write, and what is written at `target` lands in `upper`. Both must be on one
   * file system. Not every engine can do it on every machine: `canOverlay` finds out. Not with `access: 'read'`
   */
  over?: Overlay;
}

export interface Overlay {
  /** absolute; what was written */
  upper: string;
  /** absolute; the kernel's own, beside `upper` */
  work: string;
  /** absolute; an empty folder where some engines put the two together */
  merged: string;
}

/** null = no limit of ours */
export interface Limits {
  memoryBytes: number | null;
  /** cores, fractions allowed */
  cpus: number | null;
  /** processes and threads */
  pids: number | null;
}

export interface ContainerSpec {
  /** names the installation (one per state folder): orphans of other installations are never touched */
  instance: string;
  dispatch: string;
  /** mounted in this order; a later one may lie inside an earlier one */
  mounts: Mount[];
  /** the image that docker and podman run; the others use the machine's own /usr */
  image: string | null;
  /** uid and gid inside; null = the worker's own */
  user: { uid: number; gid: number } | null;
  limits: Limits;
  network: 'none' | 'host';
}

export interface SpawnSpec {
  /** as seen inside */
  command: string;
  args: string[];
  env: Record<string, string>;
  /** as seen inside */
  cwd: string;
  /** absolute path, on this machine, of the lock file to hold; null = none */
  lockFile: string | null;
}

/** The process surface the Agent SDK drives; a Node ChildProcess fits. */
export interface ContainedProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable | null;
  readonly killed: boolean;
  readonly exitCode: number | null;
  /** signals the leader only; `stop` ends the tree */
  kill(signal: NodeJS.Signals): boolean;
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  once(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): void;
  once(event: 'error', listener: (error: Error) => void): void;
  off(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): void;
  off(event: 'error', listener: (error: Error) => void): void;
}

export interface RunningContainer {
  spawn(spec: SpawnSpec): ContainedProcess;
  /**
   * `graceMs`: how long the processes may take to end by themselves; without it, as long as the CLI may need
   */
  stop(graceMs?: number): Promise<void>;
}

/** Parts of a ContainerSpec; `mounts`: their access. */
export type Unheld = 'memory' | 'cpus' | 'pids' | 'user' | 'network' | 'mounts';

/** A container with one command at a terminal of its own. */
export interface TerminalContainer extends Pick<RunningContainer, 'stop'> {
  /** its exit code, 128 and the number of the signal where one ended it; null = it did not start */
  readonly ended: Promise<number | null>;
}

export interface ContainerEngine {
  readonly name: EngineName;
  /** false: agents run with the worker's files, network and user */
  readonly isolates: boolean;
  /**
   * what `start` accepts but cannot enforce on this machine: the operator is told, and the run is not refused
   */
  readonly unheld: readonly Unheld[];
  start(spec: ContainerSpec): Promise<RunningContainer>;
  /** Throws EngineFailed also where no terminal can be made. */
  startAtTerminal(spec: ContainerSpec, spawn: SpawnSpec): Promise<TerminalContainer>;
  /** kills what dispatches of this instance left running; answers the dispatch ids it found */
  reapOrphans(instance: string): Promise<string[]>;
}

/** The engine is missing or does not start containers; the message is the problem and then the remedy. */
export class EngineFailed extends WithRemedy {
  override name = 'EngineFailed';
}
