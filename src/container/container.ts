/**
 * The container port: where the CLI of one dispatch runs.
 *
 * Contract, for every adapter:
 * - Order: `start` → any number of `spawn` → `stop`. One container per dispatch; containers may run at once.
 * - The process sees exactly `env` (never the worker's), `cwd` as its folder, and the mounts at the same absolute path
 *   inside and outside.
 * - Every process carries CLAUDE_HOOKS_INSTANCE and CLAUDE_HOOKS_DISPATCH in its environment; `reapOrphans` finds what
 *   an earlier worker of the same instance left behind by these marks and kills it, with its children.
 * - `spawn` takes the kernel lock `lockFile` for the life of the process where the engine can: a second holder exits
 *   with LOCK_HELD_EXIT_CODE before it does anything.
 * - `stop` is idempotent, kills the whole process tree (tools included), and resolves when nothing of it is left.
 * - After a crash of the worker the processes may still run; only `reapOrphans` may be trusted to end them.
 * - Errors: a container that cannot start rejects with the engine's own words; an exit code of the CLI is no error of
 *   this port.
 */
import type { Readable, Writable } from 'node:stream';

export const LOCK_HELD_EXIT_CODE = 75;

export interface ContainerSpec {
  /** names the installation (one per state folder): orphans of other installations are never touched */
  instance: string;
  dispatch: string;
  /** folders the agent may write, absolute */
  writable: string[];
  /** folders the agent may read, absolute */
  readable: string[];
}

export interface SpawnSpec {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** absolute path of the lock file to hold, or null */
  lockFile: string | null;
}

/** The process surface the Agent SDK drives; a Node ChildProcess fits. */
export interface ContainedProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable | null;
  readonly killed: boolean;
  readonly exitCode: number | null;
  /** to the leader only; `stop` is what ends a tree */
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
  stop(): Promise<void>;
}

export interface ContainerEngine {
  readonly name: 'process';
  start(spec: ContainerSpec): Promise<RunningContainer>;
  /** kills what dispatches of this instance left running; answers the dispatch ids it found */
  reapOrphans(instance: string): Promise<string[]>;
}
