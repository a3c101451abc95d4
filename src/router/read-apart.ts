/**
 * Reads large bodies in a thread of its own, one after another. The thread is started for the first of them and ended
 * when none has come for a while, and with it the memory it took.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { DeliveryHeaders, ParseOutcome } from '../forges/kit.ts';
import { Mutex } from '../mutex.ts';

export interface LargeDelivery {
  /** the configured name of the forge */
  forge: string;
  headers: DeliveryHeaders;
}

/** A body in order. Each piece is gone afterwards: its memory is handed over to the thread. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What the thread hears of one body, in this order, with any number of pieces. */
export type ToThread = 'begin' | { piece: Uint8Array } | { read: LargeDelivery };

/** 25 MB take about a second. */
const LONGEST_MS = 30_000;
const IDLE_MS = 5000;
/** A body of 25 MB is 50 MB as a text, and as much again as values. */
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 };

/** As this file is named: .ts in the sources, .js in the package. */
const THREAD = new URL(`./reading-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

let thread: Worker | null = null;
let idle: NodeJS.Timeout | undefined;
const turns = new Mutex();

export async function readApart(delivery: LargeDelivery, pieces: Pieces): Promise<ParseOutcome> {
  return await turns.hold(() => readNow(delivery, pieces));
}

async function readNow(delivery: LargeDelivery, pieces: Pieces): Promise<ParseOutcome> {
  clearTimeout(idle);
  const worker = thread ?? startThread();
  worker.ref();
  try {
    await hand(worker, pieces);
    return await ask(worker, delivery);
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

/**
 * One piece after another, each with its memory, so that this thread holds none of it: 25 MB that pile up here make the
 * collector stop it for longer than anything else in the reading. Copying them at once would take about 20 ms, so other
 * work has its turn between two.
 */
async function hand(worker: Worker, pieces: Pieces): Promise<void> {
  say(worker, 'begin');
  for await (const piece of pieces) {
    const own = ownBytes(piece);
    // guard: bodies: handed on piece by piece
    say(worker, { piece: own }, [own.buffer]);
    await nextTurn();
  }
  if (thread !== worker) throw ended();
}

function say(worker: Worker, message: ToThread, handedOver: ArrayBuffer[] = []): void {
  worker.postMessage(message, handedOver);
}

function ended(): Error {
  return new Error('The thread that reads large bodies ended. It is tried again.');
}

async function ask(worker: Worker, delivery: LargeDelivery): Promise<ParseOutcome> {
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
    const onExit = () => settle(() => reject(ended()));
    const timer = setTimeout(() => {
      settle(() => resolve(unreadable(`it takes longer than ${LONGEST_MS / 1000} s`)));
      void endThread(worker);
    }, LONGEST_MS);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    say(worker, { read: delivery });
  });
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
