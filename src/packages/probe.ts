/** Whether a registry gives a package: one small file, fetched through a real door and thrown away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PackageSettings } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { EcosystemName } from '../vocabulary.ts';
import { PackageCache } from './cache.ts';
import { openPackageDoor, type PackageAttempt } from './door.ts';
import { AT_THE_DOOR } from './ecosystems.ts';
import { LockedPackages } from './policy.ts';
import { PackageStore } from './store.ts';

/** Small, old, and kept by every mirror that has anything. */
const SMALL: Readonly<Record<EcosystemName, string>> = {
  npm: 'isarray/-/isarray-2.0.5.tgz',
  pypi: 'files/six/six-1.16.0-py2.py3-none-any.whl',
  crates: 'dl/cfg-if/1.0.0/download',
  go: 'rsc.io/quote/@v/v1.5.2.zip',
  maven: 'org/hamcrest/hamcrest-core/1.3/hamcrest-core-1.3.pom',
};

export interface ProbeDeps {
  settings: PackageSettings;
  fetch: typeof fetch;
  log: Log;
}

/** Null: this ecosystem has no door. */
export async function probeRegistry(
  name: EcosystemName,
  { settings, fetch, log }: ProbeDeps,
): Promise<Pick<PackageAttempt, 'action' | 'verdict' | 'reason'> | null> {
  if (AT_THE_DOOR[name]?.parse(SMALL[name]) == null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-p-'));
  const recorded = Promise.withResolvers<PackageAttempt>();
  try {
    const cache = await PackageCache.open({
      folder: join(folder, 'c'),
      maxBytes: settings.cache.maxBytes,
      log,
    });
    const socket = join(folder, 'p.sock');
    const door = await openPackageDoor(socket, {
      store: new PackageStore({ cache, settings: () => settings, fetch }),
      settings: () => settings,
      policy: () => 'registry',
      locked: async () => new LockedPackages([], []),
      record: (attempt) => recorded.resolve(attempt),
      log,
    });
    await read(socket, `/${name}/${SMALL[name]}`).catch((error: unknown) => {
      recorded.resolve({ action: `GET ${name}`, verdict: 'failed', reason: String(error), detail: {} });
    });
    // The tool has its last byte a moment before the door knows.
    const attempt = await recorded.promise;
    await door.close();
    return attempt;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PATIENCE_MS = 60_000;

function read(socketPath: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      response.on('end', () => resolve());
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', reject);
    asked.end();
  });
}
