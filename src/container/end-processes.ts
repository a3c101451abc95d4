/** Ends processes found by pid, gently first, and makes sure that they have ended. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Time between SIGTERM and SIGKILL: the CLI needs about 0.4 s to write its last lines. */
export const GRACE_MS = 2000;
const LOOK_MS = 25;

/**
 * Sends SIGTERM, waits for the last lines to be written, then sends SIGKILL until no process is found any more.
 * `warned`: which processes get the SIGTERM; the supervisor of a sandbox must not, because all others end with it.
 */
export async function endAll(
  find: () => Promise<number[]>,
  warned: (pid: number) => boolean = () => true,
  graceMs = GRACE_MS,
): Promise<void> {
  signalAll((await find()).filter(warned), 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while ((await find()).some(warned) && Date.now() < deadline) await sleep(LOOK_MS);
  for (let round = 0; round < 40; round++) {
    const left = await find();
    if (left.length === 0) return;
    signalAll(left, 'SIGKILL');
    await sleep(LOOK_MS);
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
