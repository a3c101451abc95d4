/**
 * One worker for each state folder, and so one service that has a worker. The lock is a SQLite transaction that never
 * ends. That is a kernel lock: it goes away with the process, however that dies, and no stale file can keep a service
 * from starting.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { AlreadyRunning } from './errors.ts';

export interface StateLock {
  /** a sentence when other users of this machine could read the state folder until now */
  tightened: string | null;
  release(): void;
}

const SQLITE_BUSY = 5;

export function lockState(stateFolder: string): StateLock {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const tightened = closeToOthers(stateFolder);
  // Checked first, because SQLite would only say that it cannot open a file.
  accessSync(stateFolder, constants.W_OK | constants.X_OK);
  const holderFile = join(stateFolder, 'serve.json');
  const held = takeLock(join(stateFolder, 'serve.lock'));
  if (held === null) {
    throw new AlreadyRunning(
      `Another claude-hooks service${describeHolder(holderFile)} owns the state folder ${stateFolder}. ` +
        'Stop it first, or give this one another "state" in its configuration.',
    );
  }
  writeFileSync(holderFile, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }));
  return {
    tightened,
    release: held.release,
  };
}

/** Takes a lock that is a file, until `release` or the end of this process; null = another process has it. */
export function takeLock(file: string): { release(): void } | null {
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    // guard: state lock
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    return null;
  }
  return {
    release: () => {
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

const LOOK_AGAIN_MS = 50;

/** As above; waits as long as another process has it. */
export async function waitForLock(file: string): Promise<{ release(): void }> {
  for (;;) {
    const lock = takeLock(file);
    if (lock !== null) return lock;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Mode 700 keeps other users out of everything inside, whatever modes those files have. */
function closeToOthers(folder: string): string | null {
  const mode = statSync(folder).mode & 0o777;
  if ((mode & 0o077) === 0) return null;
  const was = `the mode of the state folder ${folder} was ${mode.toString(8)}, which lets other users of this machine look into it`;
  try {
    chmodSync(folder, 0o700);
    return `${was}; it is 700 now`;
  } catch (error) {
    return `${was}, and it could not be changed (${(error as NodeJS.ErrnoException).code}). Run chmod 700 on it as its owner.`;
  }
}

/** Whether the lock is held, found out without taking it: SQLite refuses to read a locked file. */
export function isStateLocked(stateFolder: string): boolean {
  const file = join(stateFolder, 'serve.lock');
  if (!existsSync(file)) return false;
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    return true;
  } finally {
    db.close();
  }
}

/**
 * The environment that the running service was started with; null where no service runs, or where it may not be read.
 */
export function environmentOfHolder(stateFolder: string): Record<string, string> | null {
  if (!isStateLocked(stateFolder)) return null;
  try {
    const { pid } = JSON.parse(readFileSync(join(stateFolder, 'serve.json'), 'utf8')) as { pid: number };
    const lock = realpathSync(join(stateFolder, 'serve.lock'));
    // The pid may be that of a process in a container; on this machine another process may have that number.
    const isHolder = readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === lock);
    // guard: doctor: whose environment
    if (!isHolder) return null;
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return Object.fromEntries(
      pairs.filter((pair) => pair.includes('=')).map((pair) => splitAt(pair, pair.indexOf('='))),
    );
  } catch {
    return null;
  }
}

function splitAt(pair: string, at: number): [name: string, value: string] {
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function describeHolder(file: string): string {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; since: string };
    return ` (process ${holder.pid}, since ${holder.since})`;
  } catch {
    return '';
  }
}
