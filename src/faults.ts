/**
 * Fault points: named places between two writes in a delivery's life, where a test can end the process or make a write
 * fail. When nothing is armed, a point costs one comparison with null. It can be armed only by the command line's
 * environment (`CLAUDE_HOOKS_FAULT=kill@answer.stored`, or `kill@effect.performed#3` for the third time the point is
 * passed; `fill:<file>@<point>` fills the file's disk instead of ending the process).
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** In the order in which a delivery passes them. */
export const FAULT_POINTS = [
  'reconcile.found',
  'reconcile.written',
  'reconcile.committed',
  'reconcile.marked',
  'webhook.received',
  'webhook.pieces',
  'webhook.stored',
  'routing.decided',
  'routing.committed',
  'lease.taken',
  'court.held',
  'context.gathered',
  'setup.begun',
  'setup.ran',
  'layer.unpacked',
  'layer.written',
  'layer.committed',
  'session.planned',
  'run.announced',
  'run.recorded',
  'archive.claimed',
  'archive.appended',
  'budget.reserved',
  'budget.held',
  'run.answering',
  'budget.settled',
  'run.ended',
  'run.verified',
  'answer.stored',
  'effect.planned',
  'effect.performed',
  'effect.recorded',
  'settle.begun',
  'settle.committed',
  'notice.planned',
  'notice.performed',
  'notice.recorded',
] as const;

/** In the order in which a file of a package passes them: it is being fetched, is whole, has its name, is known. */
export const PACKAGE_FAULT_POINTS = [
  'package.fetching',
  'package.fetched',
  'package.stored',
  'package.committed',
] as const;
/** Only a run that is steered passes these, in this order. */
const STEERING_POINTS = ['steer.carried', 'steer.handed', 'steer.taken'] as const;
export type FaultPoint =
  | (typeof FAULT_POINTS)[number]
  | (typeof PACKAGE_FAULT_POINTS)[number]
  | (typeof STEERING_POINTS)[number];

const KNOWN: readonly string[] = [...FAULT_POINTS, ...PACKAGE_FAULT_POINTS, ...STEERING_POINTS];

type Fault = (point: FaultPoint) => void;

let armed: Fault | null = null;

/** Passes a point. Costs nothing when nothing is armed. */
export function faultPoint(point: FaultPoint): void {
  if (armed !== null) armed(point);
}

/** Arms a fault in this process; null disarms. */
export function armFault(fault: Fault | null): void {
  armed = fault;
}

/** Reads `kill@<point>` or `fill:<file>@<point>`, each with `#<n>` or without. Throws when the point is unknown. */
export function parseFault(spec: string): Fault {
  const match = /^(kill|fill:(.+))@([a-z.]+)(?:#(\d+))?$/.exec(spec);
  const point = match?.[3];
  if (point === undefined || !KNOWN.includes(point)) {
    throw new Error(
      `${spec} is no fault. Use kill@<point> or kill@<point>#<n> with one of ${KNOWN.join(', ')}.`,
    );
  }
  const ballast = match![2];
  let left = Number(match![4] ?? 1);
  return (passed) => {
    if (passed !== point || --left !== 0) return;
    if (ballast !== undefined) return fillDisk(ballast);
    // SIGKILL runs no handler and flushes nothing, like the kernel's out-of-memory killer.
    process.kill(process.pid, 'SIGKILL');
  };
}

/** Writes until no byte is left. Use it only on a small disk of its own. */
function fillDisk(file: string): void {
  const handle = openSync(file, 'w');
  for (const size of [1 << 20, 1 << 12, 1]) {
    const zeros = Buffer.alloc(size);
    try {
      for (;;) writeSync(handle, zeros);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(handle);
}
