/** The package door over given registries, and commands that run in a container behind it. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageSettings, RegistrySettings } from '../../src/config/config.ts';
import { cliFor } from '../../src/container/cli-build.ts';
import type { Mount } from '../../src/container/container.ts';
import { spawnWithDoors, writeDoorScript } from '../../src/container/doors.ts';
import { placeOf } from '../../src/container/place.ts';
import type { Database } from '../../src/database/database.ts';
import { silentLog } from '../../src/log.ts';
import type { PackageAttempt } from '../../src/packages/door.ts';
import { isLockFile, readLockFile } from '../../src/packages/lock-files.ts';
import { LockedPackages } from '../../src/packages/policy.ts';
import { createPackages, type Packages } from '../../src/packages.ts';
import type { EcosystemName, PackagePolicy } from '../../src/vocabulary.ts';
import { ended } from '../support/contained.ts';
import type { TestEngine } from '../support/engines.ts';

export interface Stage {
  packages: Packages;
  attempts: PackageAttempt[];
}

export interface StageOptions {
  folder: string;
  database: Database;
  registries: Readonly<Record<EcosystemName, RegistrySettings>>;
}

export function openStage({ folder, database, registries }: StageOptions): Stage {
  const attempts: PackageAttempt[] = [];
  const settings: PackageSettings = {
    policy: 'lockfile',
    registries,
    cache: { maxBytes: 2 ** 32 },
    limits: { requests: 10_000, bytes: 2 ** 32, seconds: 300 },
  };
  const packages = createPackages({
    folders: { cache: join(folder, 'cache'), sockets: join(folder, 'sockets') },
    settings: () => settings,
    fetch,
    database,
    log: silentLog,
    now: () => Date.now(),
    attempted: (attempt) => attempts.push(attempt),
  });
  return { packages, attempts };
}

export function registryAt(url: string, ...artefactHosts: string[]): RegistrySettings {
  return { url, artefactHosts, headers: {} };
}

/** Path in the checkout → text. Files that are no lock files are passed over. */
export function lockedIn(files: Readonly<Record<string, string>>): LockedPackages {
  const paths = Object.keys(files).filter(isLockFile);
  return new LockedPackages(
    paths.flatMap((path) => readLockFile(path, files[path]!)),
    paths,
  );
}

export interface Build {
  engine: TestEngine;
  stage: Stage;
  folder: string;
  /** the checkout on this machine */
  checkout: string;
  mounts: readonly Mount[];
  /** folders of PATH inside, before the usual ones */
  path: readonly string[];
  policy: PackagePolicy;
  locked: LockedPackages;
  commands: string;
  env?: Readonly<Record<string, string>>;
}

/** The commands in a container without a network, with the door. */
export async function runBehindDoor(
  build: Build,
): Promise<{ code: number | null; out: string; err: string }> {
  const { engine, stage, folder, policy } = build;
  const cli = await cliFor({ oci: engine.oci, image: engine.image, executable: null, muslCliPath: null });
  const door = await stage.packages.open({
    dispatchId: null,
    conversationId: null,
    agent: null,
    home: '/state/home',
    policy: () => policy,
    locked: async () => build.locked,
  });
  const doors = { script: await writeDoorScript(folder), open: [door.door] };
  const place = placeOf(engine.engine, { ...requestOf(build, cli), doors });
  const container = await engine.engine.start({ ...place.spec, instance: folder, dispatch: randomUUID() });
  try {
    const env = {
      ...build.env,
      HOME: place.home,
      TMPDIR: place.temporary,
      PATH: [...build.path, '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    };
    const { cwd, doors: inner } = place;
    const child = container.spawn(
      spawnWithDoors({ cli: place.cli, commands: build.commands, env, cwd, inner: inner! }),
    );
    child.stdin.end();
    return await ended(child);
  } finally {
    await container.stop(0);
    await door.close();
  }
}

function requestOf({ engine, folder, checkout, mounts }: Build, cli: string) {
  const made = (name: string) => {
    const path = join(folder, 'place', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  for (const name of ['relay/push.git', 'relay/outbox', 'relay/answers', 'relay/programs']) made(name);
  return {
    checkout,
    checkoutName: 'demo',
    folders: {
      config: made('cli'),
      home: made(`home-${engine.name}`),
      temporary: made(`tmp-${engine.name}`),
    },
    // No model is asked: any file will do.
    socket: join(folder, 'doors.js'),
    cli,
    forwarder: null,
    relay: { root: made('relay'), origin: made('origin.git') },
    settings: {
      image: engine.image,
      memoryBytes: null,
      cpus: null,
      pids: 1000,
      user: null,
      network: 'none' as const,
      mounts,
    },
    caches: [],
    path: '',
  };
}
