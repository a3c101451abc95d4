/** The body of a request, as it comes. A large one is collected where a thread can read it without a copy. */
import type { IncomingMessage } from 'node:http';
import { type Refusal, refusal } from './admission.ts';

const MIB = 1024 * 1024;
const MOST_BODY_BYTES = 64 * MIB;
/** The limit for all bodies of one run together. All runs share the worker's memory. */
const MOST_HELD_BYTES = 160 * MIB;
/** Up to this size the worker reads a body itself, which takes about 2 ms; asking a thread takes as long. */
const SMALL_BYTES = 256 * 1024;

export interface Held {
  bytes: number;
}

export type Body =
  | { kind: 'small'; bytes: Buffer }
  /** Joining 64 MiB in one go would block the event loop for everybody. */
  | { kind: 'large'; memory: SharedArrayBuffer };

/** Null when the client has left. The body counts as held until the caller lowers `held` by its `sizeOf`. */
export async function readBody(request: IncomingMessage, held: Held): Promise<Body | Refusal | null> {
  const collected = new Collected();
  let size = 0;
  try {
    // Read to the end even when it is too large: a client whose request is cut never reads the reason.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BODY_BYTES || held.bytes + chunk.length > MOST_HELD_BYTES) continue;
      held.bytes += chunk.length;
      collected.add(chunk);
    }
  } catch {
    held.bytes -= collected.size;
    return null;
  }
  if (collected.size === size) return collected.body();
  held.bytes -= collected.size;
  return size > MOST_BODY_BYTES
    ? refusal(413, `The request is larger than ${MOST_BODY_BYTES / MIB} MiB. Compact the conversation.`)
    : refusal(429, 'Too many large requests of this run are under way. Wait for their answers.');
}

export function sizeOf(body: Body): number {
  return body.kind === 'small' ? body.bytes.length : body.memory.byteLength;
}

class Collected {
  size = 0;
  #chunks: Buffer[] = [];
  #memory: SharedArrayBuffer | null = null;

  add(chunk: Buffer): void {
    if (this.#memory !== null) this.#copy(chunk);
    else this.#chunks.push(chunk);
    this.size += chunk.length;
    if (this.#memory === null && this.size > SMALL_BYTES) this.#move();
  }

  #move(): void {
    // The buffer grows in place; at first only address space is reserved.
    this.#memory = new SharedArrayBuffer(0, { maxByteLength: MOST_BODY_BYTES });
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const chunk of chunks) this.#copy(chunk);
  }

  #copy(chunk: Buffer): void {
    const memory = this.#memory!;
    const from = memory.byteLength;
    memory.grow(from + chunk.length);
    new Uint8Array(memory, from, chunk.length).set(chunk);
  }

  body(): Body {
    if (this.#memory !== null) return { kind: 'large', memory: this.#memory };
    return { kind: 'small', bytes: Buffer.concat(this.#chunks) };
  }
}
