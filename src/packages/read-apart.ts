/**
 * Reads lock files: small ones at once, large ones in a thread of its own, because a parser of YAML reads about a megabyte
 * in a second and everything else of the service would wait for it. The thread ends with the file.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Mutex } from '../mutex.ts';
import { readLockFile } from './lock-files.ts';
import type { Locked } from './locked.ts';

/** What became of one file; `problem`: a sentence that ends with the remedy. */
export type LockFileRead = { locked: Locked[] } | { problem: string };

export interface LockFileText {
  path: string;
  text: string;
}

/** About 30 ms of YAML, the slowest of them. */
const SMALL = 32 * 1024;
/** The largest that is read, of YAML, takes about 4 s and 60 MB. */
const LONGEST_MS = 60_000;
const LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };

/** As this file is named: .ts in the sources, .js in the package. */
const THREAD = new URL(
  `./lock-reading-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);
const turns = new Mutex();

export async function readLockFileApart(file: LockFileText): Promise<LockFileRead> {
  // guard: packages: large lock files are read apart
  if (file.text.length <= SMALL) return readNow(file);
  return await turns.hold(() => readInThread(file));
}

/** Never throws. */
export function readNow({ path, text }: LockFileText): LockFileRead {
  try {
    return { locked: readLockFile(path, text) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

async function readInThread(file: LockFileText): Promise<LockFileRead> {
  const worker = new Worker(THREAD, {
    workerData: file,
    resourceLimits: LIMITS,
    execArgv: [],
    stdout: false,
  });
  try {
    // An error of the thread, such as too little memory, rejects this.
    const [read] = await once(worker, 'message', { signal: AbortSignal.timeout(LONGEST_MS) });
    return read as LockFileRead;
  } catch (error) {
    return { problem: `${file.path}: ${whyNot(error as NodeJS.ErrnoException)}` };
  } finally {
    await worker.terminate();
  }
}

/** The end of a sentence that begins with the path of the file; ends with the remedy. */
export function whyNot({ code, name, message }: NodeJS.ErrnoException): string {
  const remedy = 'Split the workspace, or set the policy `registry` for this repository.';
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return `reading it takes more than ${LIMITS.maxOldGenerationSizeMb} MB of memory. ${remedy}`;
  }
  return name === 'AbortError'
    ? `reading it takes longer than ${LONGEST_MS / 1000} s. ${remedy}`
    : `the thread that reads it failed: ${message}. The next run reads it again; if that fails, too, restart the service, or set the policy \`registry\` for this repository.`;
}
