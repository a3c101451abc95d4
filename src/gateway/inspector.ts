/**
 * Where a body is inspected: a small one here, a large one in a thread. Each run that needs a thread has its own, so
 * that neither the worker nor other runs wait for one run's 64 MiB of JSON.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Refusal, refusal } from './admission.ts';
import type { Body } from './body.ts';
import { extentOf } from './extent.ts';
import { type Inspected, inspect } from './inspection.ts';
import type { ThreadAnswer } from './inspection-thread.ts';

/**
 * A quarter of a megabyte can hold thirty times as many values as a usual body, and takes thirty times as long to read.
 */
const MOST_VALUES_HERE = 5_000;
/** Limit for the thread's JavaScript heap. A large conversation takes a tenth of it. */
const MOST_THREAD_MIB = 768;

export interface Inspector {
  inspect(body: Body): Promise<Inspected | Refusal>;
  /** requests under way are refused */
  close(): Promise<void>;
}

export function createInspector(): Inspector {
  let thread: Thread | null = null;
  return {
    inspect: async (body) => {
      if (body.kind === 'small') {
        const extent = extentOf(body.bytes);
        if (extent.values <= MOST_VALUES_HERE) return inspect(body.bytes, extent);
      }
      if (thread === null || thread.isOver) thread = new Thread();
      return await thread.inspect(body.kind === 'small' ? body.bytes : body.memory);
    },
    close: async () => thread?.close(),
  };
}

class Thread {
  isOver = false;
  readonly #worker: Worker;
  /** Answers come in the order of the questions. */
  readonly #waiting: ((answer: Inspected | Refusal) => void)[] = [];

  constructor() {
    // The built product has it as .js, beside the .js of this file.
    const script = new URL(`inspection-thread${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: MOST_THREAD_MIB } });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#waiting.shift()?.(inspectedOf(answer)));
    // Without a listener this error would end the service. Waiting requests are answered when the thread exits.
    this.#worker.on('error', () => {});
    this.#worker.on('exit', () => {
      this.isOver = true;
      for (const answer of this.#waiting.splice(0)) answer(ENDED);
    });
  }

  inspect(memory: SharedArrayBuffer | Buffer): Promise<Inspected | Refusal> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(memory);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const ENDED = refusal(413, 'The request could not be inspected, by its size. Compact the conversation.');

function inspectedOf(answer: ThreadAnswer): Inspected | Refusal {
  if ('status' in answer) return answer;
  const { buffer, byteOffset, byteLength } = answer.body;
  return { ...answer, body: Buffer.from(buffer, byteOffset, byteLength) };
}
