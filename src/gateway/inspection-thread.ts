/** The thread that inspects large bodies; started by `inspector.ts`. */
import { parentPort } from 'node:worker_threads';
import type { Refusal } from './admission.ts';
import { inspect } from './inspection.ts';

/** A Buffer arrives as a plain array of bytes. */
export type ThreadAnswer = Refusal | { body: Uint8Array<ArrayBuffer>; model: string };

const port = parentPort!;
port.on('message', (sent: SharedArrayBuffer | Uint8Array<ArrayBuffer>) => {
  const inspected = inspect(bytesOf(sent));
  if ('status' in inspected) return port.postMessage(inspected);
  const { body, model } = inspected;
  // A short one may stand in memory that others use, too, and only what is given away is not copied.
  const isOwn = body.byteLength === body.buffer.byteLength;
  port.postMessage({ body, model } satisfies ThreadAnswer, isOwn ? [body.buffer] : []);
});

function bytesOf(sent: SharedArrayBuffer | Uint8Array<ArrayBuffer>): Buffer {
  return sent instanceof SharedArrayBuffer
    ? Buffer.from(sent)
    : Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
}
