/**
 * Reads large bodies in a thread of its own, one after another. The thread is started for the first of them and ended
 * when none has come for a while, and with it the memory it took.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { DeliveryHeaders, ParseOutcome } from '../forge/forge.ts';

export interface LargeDelivery {
  /** the configured name of the forge */
  forge: string;
  headers: DeliveryHeaders;
  /** gone afterwards: they are handed over to the thread */
  pieces: readonly Uint8Array[];
}

/** 25 MB take about a second. */
const LONGEST_MS = 30_000;
const IDLE_MS = 5000;
/** A body of 25 MB is 50 MB as a text, and as much again as values. */
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 };

/** As this file is named: .ts in the sources, .js in the package. */
const THREAD = new URL(`./reading-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

let thread: Worker | null = null;
let idle: NodeJS.Timeout | undefined;
let last: Promise<unknown> = Promise.resolve();

export async function readApart(delivery: LargeDelivery): Promise<ParseOutcome> {
  const turn = last.then(() => readNow(delivery));
  last = turn.catch(() => {});
  return await turn;
}

async function readNow(delivery: LargeDelivery): Promise<ParseOutcome> {
  clearTimeout(idle);
  const worker = thread ?? startThread();
  worker.ref();
  try {
    return await ask(worker, delivery, await ownPieces(delivery.pieces));
  } finally {
    // An idle thread keeps no command from ending.
    worker.unref();
    idle = setTimeout(() => void endThread(worker), IDLE_MS);
    idle.unref();
  }
}

function startThread(): Worker {
  const worker = new Worker(THREAD, { resourceLimits: LIMITS, execArgv: [], stdout: false });
  // Heard also when nobody waits for an answer; then there is nothing to tell.
  worker.on('error', () => {});
  worker.on('exit', () => {
    if (thread === worker) thread = null;
  });
  thread = worker;
  return worker;
}

async function endThread(worker: Worker): Promise<void> {
  if (thread === worker) thread = null;
  await worker.terminate();
}

async function ask(
  worker: Worker,
  delivery: LargeDelivery,
  pieces: readonly Uint8Array<ArrayBuffer>[],
): Promise<ParseOutcome> {
  return await new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (outcome: ParseOutcome) => settle(() => resolve(outcome));
    const onError = (error: NodeJS.ErrnoException) =>
      settle(() =>
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? resolve(unreadable(`it takes more than ${LIMITS.maxOldGenerationSizeMb} MB of memory`))
          : reject(error),
      );
    const onExit = () =>
      settle(() => reject(new Error('The thread that reads large bodies ended. It is tried again.')));
    const timer = setTimeout(() => {
      settle(() => resolve(unreadable(`it takes longer than ${LONGEST_MS / 1000} s`)));
      void endThread(worker);
    }, LONGEST_MS);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // Handed over, not copied.
    worker.postMessage(
      { ...delivery, pieces },
      pieces.map(({ buffer }) => buffer),
    );
  });
}

/** Copying 25 MB takes about 20 ms, so other work has its turn between two pieces that have to be copied. */
async function ownPieces(pieces: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>[]> {
  const own: Uint8Array<ArrayBuffer>[] = [];
  for (const piece of pieces) {
    const bytes = ownBytes(piece);
    if (bytes !== piece) await nextTurn();
    own.push(bytes);
  }
  return own;
}

/** Small ones may share their memory with others, which would go with them. */
function ownBytes(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = piece;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === piece.byteLength;
  return isOwn ? (piece as Uint8Array<ArrayBuffer>) : new Uint8Array(piece);
}

function unreadable(why: string): ParseOutcome {
  return {
    kind: 'malformed',
    error: `The delivery cannot be read: ${why}. Look at what stands there on the forge; an agent can be woken with a comment.`,
  };
}
