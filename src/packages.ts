/** The package door of this service: one socket per container, and behind all of them one store of files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PackageSettings } from './config/config.ts';
import type { ContainerDoor } from './container/doors.ts';
import { openSocketFolders } from './container/sockets.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';
import { AuditBatch } from './packages/audit-batch.ts';
import { PackageCache } from './packages/cache.ts';
import { baseOf, type DoorDeps, openPackageDoor, type PackageAttempt } from './packages/door.ts';
import { AT_THE_DOOR } from './packages/ecosystems.ts';
import { decisionOf } from './packages/refused.ts';
import { PackageStore } from './packages/store.ts';

export interface PackagesDeps {
  /** for the cache, and for the sockets; made with the first door */
  folders: { cache: string; sockets: string };
  settings: () => PackageSettings;
  fetch: typeof fetch;
  database: Database;
  log: Log;
  now: () => number;
  /** for the metrics; not given = nobody counts */
  attempted?: (attempt: PackageAttempt & { agent: string | null }) => void;
}

/** Whose door it is. */
export interface PackageRun extends Pick<DoorDeps, 'policy' | 'locked'> {
  /** null = no dispatch: a set-up step, or a check */
  dispatchId: string | null;
  conversationId: string | null;
  agent: string | null;
  /** HOME inside */
  home: string;
}

export interface OpenPackages {
  door: ContainerDoor;
  close(): Promise<void>;
}

export interface Packages {
  open(run: PackageRun): Promise<OpenPackages>;
  /** closes what is open, and writes what is left of the audit */
  close(): Promise<void>;
}

/** Touches no file until the first door is opened. */
export function createPackages(deps: PackagesDeps): Packages {
  const audit = new AuditBatch(deps);
  const open = new Set<OpenPackages>();
  let ready: Promise<Ready> | null = null;
  return {
    open: async (run) => {
      ready ??= makeReady(deps);
      ready.catch(() => {
        ready = null;
      });
      const { sockets, store } = await ready;
      const socket = await sockets.open();
      const door = await openPackageDoor(socket, {
        ...run,
        store,
        settings: deps.settings,
        log: deps.log,
        record: (attempt) => {
          audit.add(entryOf(attempt, run, deps.now()));
          deps.attempted?.({ ...attempt, agent: run.agent });
        },
      });
      let closing: Promise<void> | null = null;
      const close = async () => {
        await door.close();
        await sockets.remove(socket);
        await audit.flush();
        open.delete(opened);
      };
      const opened: OpenPackages = {
        door: { name: 'packages', socket, ...(await toolSettings(dirname(socket), run.home)) },
        close: () => {
          closing ??= close();
          return closing;
        },
      };
      open.add(opened);
      return opened;
    },
    close: async () => {
      await Promise.all([...open].map((one) => one.close()));
      await audit.flush();
    },
  };
}

interface Ready {
  sockets: Awaited<ReturnType<typeof openSocketFolders>>;
  store: PackageStore;
}

async function makeReady({ folders, settings, fetch, log }: PackagesDeps): Promise<Ready> {
  const { maxBytes } = settings().cache;
  const [sockets, cache] = await Promise.all([
    openSocketFolders(folders.sockets),
    PackageCache.open({ folder: folders.cache, maxBytes, log }),
  ]);
  return { sockets, store: new PackageStore({ cache, settings, fetch }) };
}

/** Settings of all tools at once: which of them a project uses is not known. */
async function toolSettings(
  folder: string,
  home: string,
): Promise<Pick<ContainerDoor, 'environment' | 'mounts'>> {
  const settings = Object.values(AT_THE_DOOR).map((one) => one.environment({ base: baseOf(one.name), home }));
  const files = Object.entries(
    Object.assign({}, ...settings.map((one) => one.files)) as Record<string, string>,
  );
  await mkdir(join(folder, 'files'), { recursive: true });
  const mounts = files.map(async ([target, text], number) => {
    const source = join(folder, 'files', String(number));
    await writeFile(source, text, { mode: 0o644 });
    return { source, target, access: 'read' as const, shown: true };
  });
  return {
    environment: Object.assign({}, ...settings.map((one) => one.variables)) as Record<string, string>,
    mounts: await Promise.all(mounts),
  };
}

function entryOf({ action, verdict, reason, detail }: PackageAttempt, run: PackageRun, now: number) {
  return {
    dispatchId: run.dispatchId,
    conversationId: run.conversationId,
    agent: run.agent,
    door: 'packages' as const,
    action,
    decision: decisionOf(verdict),
    reason,
    detail: { ...detail, verdict },
    now,
  };
}
