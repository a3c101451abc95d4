/** A process whose event loop is watched from outside: how long it was held up since the last look. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patience } from './patience.ts';

const WATCH = fileURLToPath(new URL('./loop-delay.ts', import.meta.url));

/** What a process must have in its environment to be watched. */
export function watchedEnv(file: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=${WATCH}`, LOOP_DELAY_FILE: file };
}

const PATIENCE_MS = patience(20_000);

export interface Delay {
  /** milliseconds in which the loop was held up at most, without waits for a processor */
  held: number;
  /** of one such time, how long the thread worked */
  worked: number;
}

/** Since the last time this was asked; asking begins the next time. */
export async function longestDelay(child: ChildProcess, file: string): Promise<Delay> {
  const deadline = performance.now() + PATIENCE_MS;
  let before: number | null = null;
  while (performance.now() < deadline) {
    const now = read(file);
    // Not before it says that it listens: until then the signal would end it.
    if (now !== null && before === null) {
      before = now.asked;
      child.kill('SIGUSR2');
    }
    if (now !== null && before !== null && now.asked > before) {
      return { held: Math.min(now.longest, now.own), worked: now.worked };
    }
    await sleep(2);
  }
  throw new Error(
    `Process ${child.pid} (exit ${child.exitCode}, ${child.signalCode}) says nothing about its loop.`,
  );
}

function read(file: string): { asked: number; longest: number; own: number; worked: number } | null {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  } catch {
    // Half written.
    return null;
  }
}

/**
 * A process that works in short steps and nothing else: it hashes 256 KiB, writes 64 KiB to the disk and waits for them,
 * as every commit does. What holds up its event loop is this machine and those who share it.
 */
export function steadyProcess(file: string): ChildProcess {
  const writes = `
    const fs = require('node:fs');
    const { createHash } = require('node:crypto');
    const handle = fs.openSync(${JSON.stringify(`${file}.written`)}, 'w');
    const bytes = Buffer.alloc(262144);
    setInterval(() => {
      createHash('sha256').update(bytes).digest();
      fs.writeSync(handle, bytes, 0, 65536, 0);
      fs.fsyncSync(handle);
    }, 4);`;
  return spawn(process.execPath, ['-e', writes], {
    env: { PATH: process.env.PATH, ...watchedEnv(file) },
    stdio: 'ignore',
  });
}
