/**
 * The attendant of a demo: a process of its own, in a session of its own, that clears away when the demo ends, however it
 * ends. It waits for the end of a pipe whose other end the demo alone holds: the kernel closes that also after SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { clearAway, type LeftBehind } from './clear-away.ts';

export interface Attendant {
  /** Resolves when all is cleared away. */
  finish(): Promise<void>;
}

export function startAttendant(left: LeftBehind, env: Record<string, string | undefined>): Attendant {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(left)], {
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin!.on('error', () => {});
  // By its input and not in its arguments, which every user of this machine can read: a real key may be in it.
  child.stdin!.write(JSON.stringify(env));
  const ended = endOf(child);
  return {
    finish: async () => {
      child.stdin!.end();
      // The attendant failed, so the demo clears away itself.
      if ((await ended) !== 0) await clearAway(left, env);
    },
  };
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const left = JSON.parse(process.argv[2]!) as LeftBehind;
  let said = '';
  process.stdin.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  // guard: first hour: the demo has an attendant that outlives it
  process.stdin.once('close', () => void clearAway(left, environmentIn(said)));
}

function environmentIn(said: string): Record<string, string | undefined> {
  try {
    return JSON.parse(said) as Record<string, string | undefined>;
  } catch {
    // The demo was killed before all of it was written; engines are then looked for in the usual places.
    return {};
  }
}
