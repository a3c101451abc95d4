/**
 * The process that decodes pictures. Decoders of pictures are native code that reads whatever a stranger made, so they run
 * outside of the service, without its environment, with a limit of memory and of time. One that dies costs its picture only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DECODE_BYTES, DECODE_MS } from './limits.ts';

export type Decoded =
  | {
      bytes: Uint8Array;
      mediaType: 'image/png' | 'image/jpeg';
      width: number;
      height: number;
      original: { width: number; height: number; animated: boolean };
    }
  | { why: string };

export interface Asked {
  bytes: Uint8Array;
  longEdge: number;
}

const SCRIPT = fileURLToPath(
  new URL(`./decode-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

export class Decoder {
  #child: ChildProcess | null = null;

  /** One at a time. Never throws. */
  async decode(bytes: Uint8Array, longEdge: number): Promise<Decoded> {
    const child = this.#running();
    const decoded = await answerOf(child, { bytes, longEdge });
    if (decoded === null) {
      this.close();
      return { why: 'it could not be decoded within the limits of time and memory' };
    }
    return decoded;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #running(): ChildProcess {
    this.#child ??= spawn(
      'prlimit',
      // guard: pictures: memory of the decoder
      [`--data=${DECODE_BYTES}`, process.execPath, '--disable-warning=ExperimentalWarning', SCRIPT],
      // Without an environment, PATH is that of the system.
      { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' },
    );
    return this.#child;
  }
}

/** Null: it died, or was too slow. */
async function answerOf(child: ChildProcess, asked: Asked): Promise<Decoded | null> {
  return await new Promise((resolve) => {
    const done = (decoded: Decoded | null) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => {});
      resolve(decoded);
    };
    const timer = setTimeout(() => done(null), DECODE_MS);
    child.once('error', () => done(null));
    child.once('exit', () => done(null));
    child.once('message', (decoded) => done(decoded as Decoded));
    child.send(asked, (error) => {
      if (error !== null) done(null);
    });
  });
}
