/** The thread of `read-apart.ts`: one lock file in, what it says out. */
import { parentPort, workerData } from 'node:worker_threads';
import { type LockFileText, readNow } from './read-apart.ts';

parentPort!.postMessage(readNow(workerData as LockFileText));
