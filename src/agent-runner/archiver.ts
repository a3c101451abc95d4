/** The archiver of one run: what the CLI writes is in the database a moment later. */
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import { archiveFolder, type SeenFiles } from '../sessions/archive.ts';
import { startWakeLoop } from '../wake-loop.ts';

export interface ArchiverOptions {
  database: Database;
  log: Log;
  conversationId: string;
  /** the CLI folder */
  folder: string;
  archive: boolean;
  flushMs: number;
}

/** Tails the CLI's files into the database while it runs, and once more after it has ended. */
export function startArchiver(o: ArchiverOptions): { stop(): Promise<void> } {
  // guard: transcript archive, part 1
  if (!o.archive) return { stop: async () => {} };
  const seen: SeenFiles = new Map();
  let stopped = false;
  const flush = async (): Promise<void> => {
    try {
      await archiveFolder(o.database, o.conversationId, o.folder, stopped ? new Map() : seen);
    } catch (error) {
      // The next pass goes on from here. The last pass, after the end, throws to the caller.
      if (stopped) throw error;
      o.log.warn('the transcript could not be archived; trying again', { error: String(error) });
    }
  };
  const loop = startWakeLoop(async () => {
    await flush();
    return o.flushMs;
  });
  return {
    stop: async () => {
      stopped = true;
      await loop.stop();
      await flush();
    },
  };
}
