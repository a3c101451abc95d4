/**
 * Limits for what bubblewrap starts, because bubblewrap itself sets none. Each container has one group below
 * `claude-hooks` at the root of each hierarchy, where docker and podman put theirs, too. This needs root, or a delegated
 * root as in a container with a writable /sys/fs/cgroup.
 *
 * Version 1 has one hierarchy for each controller, version 2 has one for all; some machines mix them.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineFailed, type Limits, type Unheld } from './container.ts';

const FOLDER = 'claude-hooks';
const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];
const LIMIT_OF: Readonly<Record<Controller, Unheld & keyof Record<'memory' | 'cpus' | 'pids', 0>>> = {
  memory: 'memory',
  cpu: 'cpus',
  pids: 'pids',
};
/** The kernel's default period, in microseconds, for counting a share of the processors. */
const CPU_PERIOD = 100_000;

export interface Cgroups {
  /** limits that cannot be enforced on this machine */
  readonly unheld: readonly Unheld[];
  /** Makes the groups of one container; null where it has no limit. */
  make(name: string, limits: Limits): Cgroup | null;
  /** Removes the empty groups whose names begin with `prefix`. */
  sweep(prefix: string): void;
}

export interface Cgroup {
  /** write a pid there to put a process, and what it will start, under the limits */
  processLists: string[];
  /** to be called when nothing runs in it any more */
  remove(): Promise<void>;
}

export function findCgroups(root = '/sys/fs/cgroup'): Cgroups {
  const parents = new Map<Controller, { folder: string; version: 1 | 2 }>();
  for (const controller of CONTROLLERS) {
    const parent = versionOne(root, controller) ?? versionTwo(root, controller);
    if (parent !== null) parents.set(controller, parent);
  }
  const folders = () => [...new Set([...parents.values()].map(({ folder }) => folder))];
  return {
    unheld: CONTROLLERS.filter((c) => !parents.has(c)).map((c) => LIMIT_OF[c]),
    make: (name, limits) => {
      const made = new Set<string>();
      for (const [controller, { folder, version }] of parents) {
        const lines = version === 1 ? linesOne(controller, limits) : linesTwo(controller, limits);
        if (lines.length === 0) continue;
        const group = join(folder, name);
        mkdirSync(group, { recursive: true });
        made.add(group);
        for (const line of lines) write(group, line);
      }
      return made.size === 0 ? null : cgroup([...made]);
    },
    sweep: (prefix) => {
      for (const folder of folders()) {
        for (const name of readdirSync(folder)) if (name.startsWith(prefix)) removeNow(join(folder, name));
      }
    },
  };
}

function cgroup(folders: string[]): Cgroup {
  return {
    processLists: folders.map((folder) => join(folder, 'cgroup.procs')),
    remove: async () => {
      // The kernel frees a group only a moment after its last process has ended.
      for (let round = 0; round < 40 && folders.some((folder) => !removeNow(folder)); round++)
        await sleep(25);
    },
  };
}

interface Line {
  file: string;
  value: string;
  /** the file is absent where the kernel was built or started without it */
  optional?: boolean;
}

function linesOne(controller: Controller, limits: Limits): Line[] {
  if (controller === 'memory' && limits.memoryBytes !== null) {
    const value = String(limits.memoryBytes);
    return [
      { file: 'memory.limit_in_bytes', value },
      { file: 'memory.memsw.limit_in_bytes', value, optional: true },
    ];
  }
  if (controller === 'cpu' && limits.cpus !== null) {
    return [
      { file: 'cpu.cfs_period_us', value: String(CPU_PERIOD) },
      { file: 'cpu.cfs_quota_us', value: String(Math.round(limits.cpus * CPU_PERIOD)) },
    ];
  }
  return controller === 'pids' && limits.pids !== null
    ? [{ file: 'pids.max', value: String(limits.pids) }]
    : [];
}

function linesTwo(controller: Controller, limits: Limits): Line[] {
  if (controller === 'memory' && limits.memoryBytes !== null) {
    return [
      { file: 'memory.max', value: String(limits.memoryBytes) },
      { file: 'memory.swap.max', value: '0', optional: true },
      { file: 'memory.oom.group', value: '0', optional: true },
    ];
  }
  if (controller === 'cpu' && limits.cpus !== null) {
    return [{ file: 'cpu.max', value: `${Math.round(limits.cpus * CPU_PERIOD)} ${CPU_PERIOD}` }];
  }
  return controller === 'pids' && limits.pids !== null
    ? [{ file: 'pids.max', value: String(limits.pids) }]
    : [];
}

function write(group: string, { file, value, optional = false }: Line): void {
  const path = join(group, file);
  if (optional && !existsSync(path)) return;
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw new EngineFailed(
      `The limit ${value} could not be written to ${path}: ${String(error)}.`,
      'Correct the limits under container, or see that this service may write there.',
    );
  }
}

function versionOne(root: string, controller: Controller) {
  const hierarchy = join(root, controller);
  if (!existsSync(join(hierarchy, 'cgroup.procs')) || existsSync(join(hierarchy, 'cgroup.controllers')))
    return null;
  const folder = ownFolder(hierarchy);
  return folder === null ? null : ({ folder, version: 1 } as const);
}

function versionTwo(root: string, controller: Controller) {
  const offered = join(root, 'cgroup.controllers');
  if (!existsSync(offered) || !words(offered).includes(controller)) return null;
  const folder = ownFolder(root);
  if (folder === null) return null;
  try {
    for (const group of [root, folder]) {
      const file = join(group, 'cgroup.subtree_control');
      if (!words(file).includes(controller)) writeFileSync(file, `+${controller}`);
    }
    return { folder, version: 2 } as const;
  } catch {
    // The parent group has processes of its own, or another program manages it.
    return null;
  }
}

function ownFolder(hierarchy: string): string | null {
  const folder = join(hierarchy, FOLDER);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

/** True when it is gone. */
function removeNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

function words(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split(/\s+/);
}
