/** The thread that inspects large bodies; started by `inspector.ts`. */
import { parentPort } from 'node:worker_threads';
import type { Refusal } from './admission.ts';
import { type Inspected, inspect } from './inspection.ts';

/** A Buffer arrives as a plain array of bytes. */
export type ThreadAnswer = Refusal | (Omit<Inspected, 'body'> & { body: Uint8Array });

const port = parentPort!;
port.on('message', (sent: SharedArrayBuffer | Uint8Array<ArrayBuffer>) => {
  const inspected = inspect(bytesOf(sent));
  if ('status' in inspected) return port.postMessage(inspected);
  const { body, ...read } = inspected;
  const { buffer } = body;
  // Shared memory needs no copy, our own is transferred, and the rest is short enough to be copied.
  const given = buffer instanceof ArrayBuffer && buffer.byteLength === body.byteLength ? [buffer] : [];
  port.postMessage({ body, ...read } satisfies ThreadAnswer, given);
});

function bytesOf(sent: SharedArrayBuffer | Uint8Array<ArrayBuffer>): Buffer {
  return sent instanceof SharedArrayBuffer
    ? Buffer.from(sent)
    : Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
}
