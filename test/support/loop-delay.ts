/**
 * Loaded into a process before its own code (`node --import`): writes how long its event loop was held up since the last
 * time, in milliseconds, to the file LOOP_DELAY_FILE whenever it gets SIGUSR2.
 *
 * Three figures. `longest` is what `monitorEventLoopDelay` saw. `own` leaves out the time in which this thread waited for
 * a processor: with more processes than processors a busy one waits for others, and no code of ours can help that.
 * `worked` is how long it had a processor, which leaves out the waits for a disk as well. Both are measured by a timer of
 * 1 ms, whose lateness is compared with the kernel's account of the thread.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds in which the main thread has had a processor, and has waited for one, so far; 0 where nobody tells. */
function account(): { worked: number; waited: number } {
  try {
    const told = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return { worked: Number(told[0]) / 1e6, waited: Number(told[1]) / 1e6 };
  } catch {
    return { worked: 0, waited: 0 };
  }
}

const file = process.env.LOOP_DELAY_FILE;
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let own = 0;
  let worked = 0;
  let last = { at: performance.now(), ...account() };
  setInterval(() => {
    const now = { at: performance.now(), ...account() };
    own = Math.max(own, now.at - last.at - (now.waited - last.waited));
    worked = Math.max(worked, now.worked - last.worked);
    last = now;
  }, 1).unref();
  let asked = 0;
  process.on('SIGUSR2', () => {
    const longest = delays.max / 1e6;
    asked++;
    writeFileSync(file, JSON.stringify({ asked, longest, own, worked }));
    delays.reset();
    own = 0;
    worked = 0;
  });
  writeFileSync(file, JSON.stringify({ asked, longest: 0, own: 0, worked: 0 }));
}
