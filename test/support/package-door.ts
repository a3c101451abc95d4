/** A package door for a test, on real rows, with a client that speaks to its socket; it ends with the test. */
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PackageSettings } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { readLockFile } from '../../src/packages/lock-files.ts';
import { LockedPackages } from '../../src/packages/policy.ts';
import { createPackages, type OpenPackages, type Packages } from '../../src/packages.ts';
import type { PackagePolicy } from '../../src/vocabulary.ts';
import { openSqlite, type TestDatabase } from './databases.ts';
import { temporaryFolder } from './gateway.ts';

export interface PackageDoorForTest {
  packages: Packages;
  open: OpenPackages;
  database: TestDatabase;
  folder: string;
  settings: PackageSettings;
  policy: PackagePolicy;
  /** what the lock files say from now on, and their paths */
  lock(text: string, paths: string[]): void;
  ask(path: string, o?: Asking): Promise<Answered>;
  audit(): Promise<
    { action: string; decision: string; reason: string | null; detail: Record<string, unknown> }[]
  >;
}

interface Asking {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Answered {
  status: number;
  /** the reason phrase */
  phrase: string;
  body: Buffer;
}

export async function packageDoorForTest(o: {
  registry: string;
  lockFile?: string;
  changes?: Partial<PackageSettings['registries']['npm']>;
  folder?: string;
}): Promise<PackageDoorForTest> {
  const database = await openSqlite();
  const folder = o.folder ?? (await temporaryFolder('pd-'));
  const npm = { url: o.registry, artefactHosts: [], headers: {}, ...o.changes };
  let known = new LockedPackages([], []);
  const lock = (text: string, paths: string[]) => {
    known = new LockedPackages(readLockFile('package-lock.json', text), paths);
  };
  const at: PackageDoorForTest = {
    lock,
    database,
    folder,
    policy: 'lockfile',
    settings: {
      policy: 'lockfile',
      registries: { npm, pypi: npm, crates: npm, go: npm, maven: npm },
      cache: { maxBytes: 2 ** 30 },
      limits: { requests: 1000, bytes: 2 ** 30, seconds: 20 },
    },
    packages: createPackages({
      folders: { cache: join(folder, 'packages'), sockets: join(folder, 'doors') },
      settings: () => at.settings,
      fetch,
      database,
      log: silentLog,
      now: Date.now,
    }),
    open: null as unknown as OpenPackages,
    ask: (path, asking = {}) => askAt(at.open.door.socket, path, asking),
    audit: async () => {
      // The row of an answer is added when its last byte is out, which the client may see first.
      await at.open.close();
      await at.packages.close();
      const rows = await database.rows.selectFrom('audit').selectAll().orderBy('seq').execute();
      return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));
    },
  };
  onTestFinished(() => at.packages.close());
  if (o.lockFile !== undefined) lock(o.lockFile, ['package-lock.json']);
  at.open = await at.packages.open({
    dispatchId: 'dispatch-1',
    conversationId: 'conversation-1',
    agent: 'dev',
    home: '/state/home',
    policy: () => at.policy,
    locked: async () => known,
  });
  return at;
}

function askAt(
  socketPath: string,
  path: string,
  { method = 'GET', headers = {}, body }: Asking,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      const { statusCode: status = 0, statusMessage: phrase = '' } = response;
      response.on('end', () => resolve({ status, phrase, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
