/**
 * Loaded into a process before its own code (`node --import`): SIGUSR2 has its garbage collected at once, and says on
 * standard error how many bytes are held afterwards (`held=<bytes>`). A process at rest may keep garbage for as long as it
 * likes, and its allocator freed pages, so a test of what is held can trust neither the collector nor the process's size.
 */
import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  writeSync(2, `held=${heapUsed + external}\n`);
});
