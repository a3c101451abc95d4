/** The child processes between us and a contained command: how they are started, asked and wrapped. */
import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainedProcess, LOCK_HELD_EXIT_CODE } from './container.ts';

export interface ClientSpec {
  argv: readonly string[];
  env: Record<string, string>;
  cwd: string;
  /** texts that the child reads to their end from descriptors 3, 4, … */
  readings?: readonly (string | Buffer)[];
  /**
   * it has our standard streams, and stays in our session so that it hears of a new size of the window; what it starts
   * must get a terminal of its own
   */
  atTerminal?: boolean;
}

/** The child leads a session of its own, by which `process-tree.ts` finds what it leaves behind. */
export function startClient(spec: ClientSpec): ChildProcess {
  const [program, ...args] = spec.argv;
  const readings = spec.readings ?? [];
  const standard = spec.atTerminal === true ? ('inherit' as const) : ('pipe' as const);
  const stdio: StdioOptions = [standard, standard, standard, ...readings.map(() => 'pipe' as const)];
  const detached = spec.atTerminal !== true;
  // guard: container: environment (all engines)
  const child = spawn(program!, args, { cwd: spec.cwd, env: spec.env, stdio, detached });
  // A CLI that has ended closes its stdin; a late write of the SDK must not end the service.
  child.stdin?.on('error', () => {});
  readings.forEach((reading, i) => {
    const stream = child.stdio[3 + i] as NodeJS.WritableStream;
    stream.on('error', () => {});
    stream.end(reading);
  });
  return child;
}

/**
 * A child whose `kill` does not signal the child itself. `killed` means that a signal was sent, as it does in Node.
 */
export function withKill(child: ChildProcess, kill: (signal: NodeJS.Signals) => boolean): ContainedProcess {
  const marks = child as ChildProcess & { killed: boolean };
  marks.kill = (signal) => {
    const sent = kill((signal ?? 'SIGTERM') as NodeJS.Signals);
    marks.killed ||= sent;
    return sent;
  };
  return marks as ContainedProcess;
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** True when it ended in time. */
export async function endsWithin(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (!isRunning(child)) return true;
  const abort = new AbortController();
  const late = sleep(milliseconds, false, { signal: abort.signal }).catch(() => true);
  const gone = once(child, 'exit', { signal: abort.signal }).then(() => true);
  gone.catch(() => {});
  const ended = await Promise.race([gone, late]);
  abort.abort();
  return ended;
}

/**
 * The beginning of a command line that holds the kernel lock. With `keep`, a waiting flock keeps the lock.
 */
export function lockPrefix(flock: string | null, lockFile: string | null, how: 'exec' | 'keep'): string[] {
  // guard: kernel lock
  if (flock === null || lockFile === null) return [];
  // `-F` execs instead of forking, so that a signal reaches the command and not only flock. `-o` closes the lock's
  // descriptor in the child, because whoever has it could unlock.
  // guard: container: lock descriptor (bubblewrap)
  return [flock, '-n', how === 'exec' ? '-F' : '-o', '-E', String(LOCK_HELD_EXIT_CODE), lockFile];
}

export interface Answer {
  /** null: it did not start, did not end in time or was killed */
  code: number | null;
  stdout: string;
  stderr: string;
}

const ASK_TIMEOUT_MS = 60_000;
/** The kept text goes into error messages. */
const STDERR_KEPT = 20_000;

/** Runs a program to its end; never rejects. */
export function ask(argv: readonly string[], env: Record<string, string>): Promise<Answer> {
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    const options = { env, timeout: ASK_TIMEOUT_MS, killSignal: 'SIGKILL', encoding: 'utf8' } as const;
    const child = execFile(program!, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      const said = stderr === '' && code === null ? (error?.message ?? '') : stderr;
      resolve({ code, stdout, stderr: said.slice(-STDERR_KEPT) });
    });
    child.stdin?.end();
  });
}
