/**
 * Reads a body piece by piece and hashes it as it arrives. Stops at the size limit, when the room for bodies in flight
 * is used up, and when the sender is slow. Nothing is parsed here.
 */
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestRefused } from '../errors.ts';
import type { BodyHash } from '../forges/kit.ts';
import type { Share } from './in-flight.ts';

/** How slow a sender may be. */
export interface Patience {
  /** in each window … */
  windowMs: number;
  /** … this much must arrive, or the rest of the body */
  windowBytes: number;
  /** most time from the headers to the last byte */
  totalMs: number;
}

/**
 * A forge gives up after 5 s by itself (`[webhook] DELIVER_TIMEOUT`), so these limits are for all other senders.
 */
export const PATIENCE: Patience = { windowMs: 5000, windowBytes: 80 * 1024, totalMs: 30_000 };

export interface BodyReading {
  body: Readable;
  maxBytes: number;
  digests: BodyHash;
  share: Share;
  patience: Patience;
}

/** Resolves with the pieces in order. Rejects with RequestRefused, and then reads no more. */
export async function readBody(reading: BodyReading): Promise<Uint8Array[]> {
  const { body } = reading;
  const pieces: Uint8Array[] = [];
  const hashing = new Hashing(reading);
  let size = 0;
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      watch.stop();
      body.off('data', onData).off('end', onEnd).off('close', onClose);
      settle();
    };
    const refuse = (refusal: RequestRefused): void =>
      end(() => {
        hashing.stop();
        // The rest of the body waits in the socket until the server has answered, and is then thrown away.
        body.pause();
        pieces.length = 0;
        reject(refusal);
      });
    const onData = (piece: Uint8Array): void => {
      size += piece.length;
      const refusal =
        size > reading.maxBytes ? tooLarge(reading.maxBytes) : taken(reading.share, piece.length);
      if (refusal !== null) {
        refuse(refusal);
        return;
      }
      pieces.push(piece);
      watch.saw(piece.length);
      hashing.add(piece);
    };
    const onEnd = (): void =>
      end(() => void hashing.done.then(() => (size === 0 ? reject(emptyBody()) : resolve(pieces))));
    // This listener is removed at `end`: a close without an end means that the sender has left.
    const onClose = (): void => refuse(cutOff());
    const watch = watchProgress(reading.patience, () => refuse(tooSlow()));
    body.on('data', onData).on('end', onEnd).on('close', onClose);
    // 'close' follows and is enough; without a listener this error would end the process.
    body.on('error', () => {});
  });
}

/**
 * Bytes that are hashed, over all secrets, before other work gets a turn: about a millisecond. The system delivers up
 * to 2 MiB of a body in one turn of the event loop.
 */
// guard: bodies: many secrets, many turns
const HASHED_A_TURN = 512 * 1024;

/**
 * Hashes the pieces in order: usual bodies at once, large ones and those with many secrets in several turns.
 */
class Hashing {
  readonly #body: Readable;
  readonly #digests: BodyHash;
  #unbroken = 0;
  /** pieces that wait for their turn */
  #waiting = 0;
  #stopped = false;
  done = Promise.resolve();

  constructor({ body, digests }: BodyReading) {
    this.#body = body;
    this.#digests = digests;
  }

  add(piece: Uint8Array): void {
    this.#unbroken += piece.length * this.#digests.count;
    if (this.#waiting === 0 && this.#unbroken <= HASHED_A_TURN) {
      this.#digests.update(piece);
      return;
    }
    this.#waiting++;
    this.#body.pause();
    this.done = this.done.then(() => this.#inTurns(piece));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #inTurns(piece: Uint8Array): Promise<void> {
    const secrets = Math.max(1, Math.floor(HASHED_A_TURN / piece.length));
    for (let from = 0; from < this.#digests.count; from += secrets) {
      await nextTurn();
      if (this.#stopped) return;
      this.#digests.update(piece, from, from + secrets);
    }
    if (--this.#waiting > 0) return;
    this.#unbroken = 0;
    this.#body.resume();
  }
}

function watchProgress(patience: Patience, slow: () => void): { saw(bytes: number): void; stop(): void } {
  const begun = performance.now();
  let seen = 0;
  const look = (): void => {
    const left = patience.totalMs - (performance.now() - begun);
    // guard: bodies: slow ones are cut
    const isSlow = left <= 0 || seen < patience.windowBytes;
    seen = 0;
    if (isSlow) slow();
    else timer = setTimeout(look, Math.min(patience.windowMs, left));
  };
  let timer = setTimeout(look, Math.min(patience.windowMs, patience.totalMs));
  return {
    saw: (bytes) => {
      seen += bytes;
    },
    stop: () => clearTimeout(timer),
  };
}

export function tooLarge(limit: number): RequestRefused {
  return new RequestRefused(
    413,
    'too-large',
    `The body is larger than ${limit} bytes. Raise server.max_body_bytes if your forge sends such deliveries.`,
  );
}

function taken(share: Share, bytes: number): RequestRefused | null {
  const full = share.take(bytes);
  if (full === null) return null;
  const whose = full === 'all' ? 'over all connections' : 'from this address';
  return new RequestRefused(
    429,
    'busy',
    `Too many bytes of webhook bodies are in flight ${whose}. Send it again from the hook’s history when there is less to do.`,
  );
}

function tooSlow(): RequestRefused {
  return new RequestRefused(
    408,
    'too-slow',
    'The body came too slowly and was cut off. Look for what is slow between the forge and this service, then send it again from the hook’s history.',
  );
}

function cutOff(): RequestRefused {
  return new RequestRefused(
    400,
    'cut-off',
    'The connection ended before the body did. Send it again from the hook’s history.',
  );
}

export function emptyBody(): RequestRefused {
  return new RequestRefused(400, 'empty-body', 'The body is empty. Send the payload as a JSON document.');
}
