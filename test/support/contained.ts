/** What the suites of the container engines share: a layout of mounts, shells in it, and eyes on this machine. */
import type { ChildProcess } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type {
  ContainedProcess,
  ContainerSpec,
  Mount,
  RunningContainer,
} from '../../src/container/container.ts';
import type { TestEngine } from './engines.ts';

export function testFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'claude-hooks-container-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export interface Started {
  container: RunningContainer;
  instance: string;
  dispatch: string;
  /** a folder mounted to write: on this machine, and inside */
  outside: string;
  inside: string;
}

/** A container with one folder to write; it ends with the test. */
export async function start(
  engine: TestEngine,
  changes: Partial<ContainerSpec> & { name?: string } = {},
): Promise<Started> {
  const { name = 'repository', mounts = [], ...others } = changes;
  const outside = join(testFolder(), name);
  mkdirSync(outside, { recursive: true });
  const inside = engine.engine.isolates ? `/work/${name}` : outside;
  const instance = changes.instance ?? randomUUID();
  const dispatch = changes.dispatch ?? randomUUID();
  const container = await engine.engine.start({
    user: null,
    limits: { memoryBytes: null, cpus: null, pids: null },
    network: 'none',
    image: engine.image,
    ...others,
    instance,
    dispatch,
    mounts: [{ source: outside, target: inside, access: 'write' }, ...mounts],
  });
  onTestFinished(() => container.stop());
  return { container, instance, dispatch, outside, inside };
}

export function mount(source: string, target: string, access: Mount['access']): Mount {
  return { source, target, access };
}

export const PATH = '/usr/local/bin:/usr/bin:/bin';

export interface ShellOptions {
  lockFile?: string | null;
  env?: Record<string, string>;
  args?: string[];
}

export function shell(
  { container, inside }: Started,
  script: string,
  o: ShellOptions = {},
): ContainedProcess {
  return container.spawn({
    command: '/bin/bash',
    // bash reads the user's own start file when its stdin is a socket, as Node's are.
    args: ['--norc', '-c', script, 'bash', ...(o.args ?? [])],
    env: { PATH, ...o.env },
    cwd: inside,
    lockFile: o.lockFile ?? null,
  });
}

export interface End {
  /** 128 + number where a signal ended it, whatever the engine makes of that */
  code: number | null;
  out: string;
  err: string;
}

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

export async function ended(child: ContainedProcess): Promise<End> {
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += String(data);
  });
  child.stderr?.on('data', (data) => {
    err += String(data);
  });
  // `close` comes after the last byte, and is what a real child process has beside the port's events.
  const [code, signal] = (await once(child as unknown as ChildProcess, 'close')) as [
    number | null,
    NodeJS.Signals | null,
  ];
  return { code: signal === null ? code : 128 + (SIGNALS[signal] ?? 0), out, err };
}

/** What it said up to and including the word; throws when it ends before that. */
export async function said(child: ContainedProcess, word = 'ready'): Promise<string> {
  let out = '';
  for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
    out += String(data);
    if (out.includes(word)) return out;
  }
  throw new Error(`it ended before it said ${word}: ${out} ${child.stderr?.read() ?? ''}`);
}

/**
 * A length of sleep that nobody else on this machine has: `sleep ${nap}` is found by it from outside, whatever its
 * environment, parent, session and namespace are. What sleeps on after the test is ended, also when that has failed.
 */
export function uniqueNap(): string {
  const nap = `1000.${randomInt(1e8, 1e9)}`;
  onTestFinished(() => {
    for (const pid of sleepers(nap)) process.kill(pid, 'SIGKILL');
  });
  return nap;
}

/** Pids, on this machine, of all that sleep so and live. */
export function sleepers(nap: string): number[] {
  return processes().filter((pid) => {
    const [program, length] = argumentsOf(pid);
    return program?.endsWith('sleep') && length === nap && !/^[ZX]/.test(stateOf(pid));
  });
}

/** Resolves when so many sleep; the test's own time limit is the end of patience. */
export async function untilSleepers(nap: string, count: number): Promise<number[]> {
  for (;;) {
    const found = sleepers(nap);
    if (found.length === count) return found;
    await sleep(20);
  }
}

export function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export function argumentsOf(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0');
}

function stateOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? 'X' : stat.slice(stat.lastIndexOf(')') + 2);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
