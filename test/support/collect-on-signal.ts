/**
 * Loaded into a process before its own code (`node --import`): SIGUSR2 has its garbage collected at once. A process at
 * rest may keep garbage for as long as it likes, so a test of what is held must not wait for the collector.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
process.on('SIGUSR2', () => collect());
