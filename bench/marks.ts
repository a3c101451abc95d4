/**
 * Loaded into the service's process by `--import`: writes down when each fault point is passed and when the forge has
 * answered, one JSON object a line, to the file that BENCH_MARKS names. The points are there for the tests; they are
 * also the exact borders of a dispatch's stages.
 */
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { armFault, type FaultPoint } from '../src/faults.ts';

export interface Mark {
  point: FaultPoint | 'forge.answered';
  /** epoch milliseconds */
  at: number;
}

const file = process.env.BENCH_MARKS;
if (file !== undefined) {
  const handle = openSync(file, 'a');
  process.once('exit', () => closeSync(handle));
  const note = (point: Mark['point']) =>
    appendFileSync(handle, `${JSON.stringify({ point, at: Date.now() } satisfies Mark)}\n`);
  armFault(note);
  const original = globalThis.fetch;
  globalThis.fetch = async (...request: Parameters<typeof fetch>) => {
    const response = await original(...request);
    note('forge.answered');
    return response;
  };
}
