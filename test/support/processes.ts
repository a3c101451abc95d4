/** Finds processes of a test by their environment, as the service does, and ends them without warning. */
import { readdirSync, readFileSync } from 'node:fs';

/** Signals every process of this instance whose command line fits; at least one must be there. */
export async function killInside(
  instance: string,
  signal: NodeJS.Signals,
  fits: (command: string) => boolean = () => true,
): Promise<number[]> {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => belongsTo(pid, instance, fits));
  if (pids.length === 0) throw new Error(`no process of ${instance} runs`);
  for (const pid of pids) process.kill(pid, signal);
  return pids;
}

function belongsTo(pid: number, instance: string, fits: (command: string) => boolean): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`CLAUDE_HOOKS_INSTANCE=${instance}`) &&
      fits(readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0]!)
    );
  } catch {
    return false;
  }
}
