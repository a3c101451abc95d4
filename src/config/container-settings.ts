/** Container settings of an agent: its own, then the general ones; sizes in bytes, paths absolute. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { PackagePolicy } from '../vocabulary.ts';
import { allowedHost } from './allowed-hosts.ts';
import type { ContainerSettings } from './config.ts';
import type { agentContainerOptions, containerOptions } from './container-options.ts';

type General = z.output<typeof containerOptions>;
type Own = z.output<typeof agentContainerOptions>;

/** The default: enough for a build, and it stops a fork bomb. */
const DEFAULT_PIDS = 2048;

export function containerSettings(
  own: Own,
  general: General,
  { folder, policy }: { folder: string; policy: PackagePolicy },
): ContainerSettings {
  const memory = own.memory ?? general.memory;
  const user = own.user ?? general.user;
  return {
    image: own.image ?? general.image ?? null,
    memoryBytes: memory === undefined ? null : bytesOf(memory),
    cpus: own.cpus ?? general.cpus ?? null,
    pids: own.pids ?? general.pids ?? DEFAULT_PIDS,
    user: user === undefined ? null : userOf(user),
    ...networkOf(own.network ?? general.network ?? 'none'),
    mounts: (own.mounts ?? general.mounts ?? []).map((m) => ({ ...m, source: resolve(folder, m.source) })),
    caches: own.caches ?? general.caches ?? [],
    tools: own.tools ?? general.tools ?? [],
    packages: own.packages ?? policy,
    setup: setupSettings(own.setup ?? general.setup ?? {}, memory === undefined ? null : bytesOf(memory)),
  };
}

type SetupTable = NonNullable<Own['setup']>;

function setupSettings(table: SetupTable, containerMemory: number | null): ContainerSettings['setup'] {
  return {
    commands: table.commands ?? [],
    lockFiles: table.lock_files ?? [],
    keep: table.keep ?? [],
    timeoutMs: (table.timeout_minutes ?? DEFAULT_SETUP_MINUTES) * 60_000,
    memoryBytes: table.memory === undefined ? containerMemory : bytesOf(table.memory),
    maxBytes: table.max_bytes === undefined ? DEFAULT_SETUP_BYTES : bytesOf(table.max_bytes),
    repositoryFile: table.repository_file ?? true,
  };
}

/** A cold build of dependencies takes minutes, and one that hangs takes all there is. */
const DEFAULT_SETUP_MINUTES = 20;
const DEFAULT_SETUP_BYTES = 10 * 1024 ** 3;

function networkOf(found: NonNullable<General['network']>): Pick<ContainerSettings, 'network' | 'names'> {
  if (typeof found === 'string') return { network: found, names: null };
  return {
    network: 'none',
    names: {
      allow: found.allow.map((text) => allowedHost(text)),
      maxSent: bytesOf(found.max_sent),
      maxReceived: bytesOf(found.max_received),
      maxConnections: found.max_connections,
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

export function bytesOf(size: string): number {
  const unit = size.at(-1)!.toLowerCase();
  const factor = UNITS[unit] ?? 1;
  return Math.round(Number.parseFloat(size) * factor);
}

function userOf(text: string): { uid: number; gid: number } {
  const [uid, gid] = text.split(':').map(Number);
  return { uid: uid!, gid: gid ?? uid! };
}
