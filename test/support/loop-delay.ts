/**
 * Loaded into a process before its own code (`node --import`): writes how long its event loop was held up since the last
 * time, in milliseconds, to the file LOOP_DELAY_FILE whenever it gets SIGUSR2.
 *
 * Two figures. `longest` is what `monitorEventLoopDelay` saw. `own` leaves out the time in which this thread waited for
 * a processor: with more processes than processors a busy one waits for others, and no code of ours can help that. It
 * is measured by a timer of 1 ms, whose lateness is compared with the kernel's account of the thread.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds that the main thread has waited for a processor so far; 0 where the kernel does not tell. */
function waited(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

const file = process.env.LOOP_DELAY_FILE;
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let own = 0;
  let last = { at: performance.now(), waited: waited() };
  setInterval(() => {
    const now = { at: performance.now(), waited: waited() };
    own = Math.max(own, now.at - last.at - (now.waited - last.waited));
    last = now;
  }, 1).unref();
  let asked = 0;
  process.on('SIGUSR2', () => {
    const longest = delays.max / 1e6;
    asked++;
    writeFileSync(file, JSON.stringify({ asked, longest, own }));
    delays.reset();
    own = 0;
  });
  writeFileSync(file, JSON.stringify({ asked, longest: 0, own: 0 }));
}
