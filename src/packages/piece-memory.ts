/**
 * Memory of pieces of files that were passed on. Each piece that `fetch` gives is a buffer outside of V8's heap, with one of the
 * socket behind it. The collector sees a few small objects there and waits, until a large file has left it tens of megabytes:
 * 46 to 50 MB after 500 MB, measured by itself. So a collection of young objects is asked for, which takes a millisecond
 * or two; then it is 10 MB, in no more processor time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of all files together between two collections. An `npm ci` seldom reaches it. */
const COLLECTED_EVERY = 2 * 1024 * 1024;

let passedOn = 0;
let collect: (() => void) | null = null;

/** Call it when nothing needs a piece of so many bytes any more. */
export function pieceIsDone(bytes: number): void {
  passedOn += bytes;
  if (passedOn < COLLECTED_EVERY) return;
  passedOn = 0;
  collect ??= collector();
  collect();
}

/** Node has its collector only for those who ask by this flag. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('globalThis.gc') as ((o: { type: 'minor' }) => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return gc === undefined ? () => {} : () => gc({ type: 'minor' });
}
