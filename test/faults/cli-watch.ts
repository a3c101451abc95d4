/** Which CLIs run on a session: finds the CLIs of one installation in /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { INSTANCE_MARK } from '../../src/container/process-tree.ts';

/** A look reads what every process of the machine has in its environment: 5 ms of a core. */
const LOOK_EVERY_MS = 50;

/** Pids of the CLIs that run now, without what they have started. */
export function clisOf(instance: string): number[] {
  const clis = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => cliWith(pid, instance) ?? []);
  // Between fork and exec a tool has its CLI's command line.
  return clis.filter((cli) => !clis.some((other) => other.pid === cli.parent)).map((cli) => cli.pid);
}

function cliWith(pid: string, instance: string): { pid: number; parent: number } | null {
  try {
    if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${INSTANCE_MARK}=${instance}`)) return null;
    const [command] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    if (!command!.endsWith('/claude')) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return { pid: Number(pid), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
  } catch {
    // It has ended, or it is another user's.
    return null;
  }
}

export interface CliWatch {
  /** the most CLIs that were seen at once */
  most(): number;
  stop(): void;
}

/** Looks often; two CLIs on one session write to one file for seconds, so looking is enough to see them. */
export function watchClis(instance: string): CliWatch {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, clisOf(instance).length);
  }, LOOK_EVERY_MS);
  return { most: () => most, stop: () => clearInterval(timer) };
}
