/** Removes what a demo leaves behind: the service, the processes of its dispatches, the folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseEngine, findProgram } from '../container/choose.ts';
import type { EngineName } from '../vocabulary.ts';

export interface LeftBehind {
  folder: string;
  /** the folder stays, what runs in it does not */
  keep: boolean;
  engine: EngineName;
  image: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const configFileOf = (folder: string) => join(folder, 'claude-hooks.yaml');
export const stateOf = (folder: string) => join(folder, 'state');

/** May be called again, and while the service is still starting. */
export async function clearAway(left: LeftBehind, env: Environment): Promise<void> {
  await endProcesses(left.folder);
  await endDispatches(left, env);
  if (left.keep) return;
  // The last git commands of service and forge may still write for a moment.
  await rm(left.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

const LOOK_MS = 100;
const GENTLE_ROUNDS = 20;

/** The service ends at the second SIGTERM without waiting for its runs, and takes its git commands with it. */
async function endProcesses(folder: string): Promise<void> {
  for (let round = 0; ; round++) {
    const pids = processesAtHomeIn(folder);
    if (pids.length === 0) return;
    for (const pid of pids) signal(pid, round < GENTLE_ROUNDS ? 'SIGTERM' : 'SIGKILL');
    await sleep(LOOK_MS);
  }
}

/**
 * The service, its git commands and the CLI it tries at its start: all have their HOME in the demo's folder, and nobody
 * else has. Not by pids that somebody noted: a demo that was killed had no time to note them.
 */
function processesAtHomeIn(folder: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const home = homeOf(pid);
    return home === folder || home?.startsWith(`${folder}/`);
  });
}

function homeOf(pid: number): string | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.find((variable) => variable.startsWith('HOME='))?.slice('HOME='.length);
  } catch {
    // It ended in between, or is another user's.
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}

async function endDispatches({ folder, engine, image }: LeftBehind, env: Environment): Promise<void> {
  const instance = instanceIn(stateOf(folder));
  if (instance === null) return;
  const path = env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  const chosen = await chooseEngine({
    ...{ engine, image, path, flock: findProgram('flock', path) },
    ...{ programArgs: [], runArgs: [], runtime: null, environment: env },
  });
  await chosen.engine.reapOrphans(instance);
}

/** null where no service came far enough to run a dispatch. */
function instanceIn(state: string): string | null {
  try {
    return readFileSync(join(state, 'instance'), 'utf8').trim();
  } catch {
    return null;
  }
}
