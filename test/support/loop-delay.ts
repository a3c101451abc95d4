/**
 * Loaded into a process before its own code (`node --import`): writes the longest time that its event loop was held up
 * since the last time, in milliseconds, to the file LOOP_DELAY_FILE whenever it gets SIGUSR2.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env.LOOP_DELAY_FILE;
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let asked = 0;
  process.on('SIGUSR2', () => {
    const longest = delays.max / 1e6;
    delays.reset();
    asked++;
    writeFileSync(file, JSON.stringify({ asked, longest }));
  });
}
