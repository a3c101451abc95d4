/** A process whose event loop is watched from outside: how long it was held up since the last look. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const WATCH = fileURLToPath(new URL('./loop-delay.ts', import.meta.url));

/** What a process must have in its environment to be watched. */
export function watchedEnv(file: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=${WATCH}`, LOOP_DELAY_FILE: file };
}

/** Milliseconds since the last time this was asked; asking begins the next time. */
export async function longestDelay(child: ChildProcess, file: string): Promise<number> {
  const before = read(file)?.asked ?? 0;
  child.kill('SIGUSR2');
  for (;;) {
    const now = read(file);
    if (now !== null && now.asked > before) return now.longest;
    await sleep(2);
  }
}

function read(file: string): { asked: number; longest: number } | null {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  } catch {
    // Half written.
    return null;
  }
}

/**
 * A process that does nothing but write 64 KiB to the disk and wait for them now and then, as every commit does: what
 * holds up its event loop is this machine.
 */
export function idleProcess(file: string): ChildProcess {
  const writes = `
    const fs = require('node:fs');
    const handle = fs.openSync(${JSON.stringify(`${file}.written`)}, 'w');
    const bytes = Buffer.alloc(65536);
    setInterval(() => { fs.writeSync(handle, bytes, 0, bytes.length, 0); fs.fsyncSync(handle); }, 10);`;
  return spawn(process.execPath, ['-e', writes], {
    env: { PATH: process.env.PATH, ...watchedEnv(file) },
    stdio: 'ignore',
  });
}
