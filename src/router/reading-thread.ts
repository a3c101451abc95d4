/** The thread of `read-apart.ts`: a large body in, the small event that it means out. */
import { parentPort } from 'node:worker_threads';
import { parseDelivery } from '../forges/parse-delivery.ts';
import type { ToThread } from './read-apart.ts';

let pieces: Uint8Array[] = [];

parentPort!.on('message', (message: ToThread) => {
  if (message === 'begin') {
    // The body before this one may have ended early; what came of it is dropped.
    pieces = [];
    return;
  }
  if ('piece' in message) {
    pieces.push(message.piece);
    return;
  }
  const { forge, headers } = message.read;
  const body = Buffer.concat(pieces);
  pieces = [];
  parentPort!.postMessage(parseDelivery(forge, headers, body));
});
