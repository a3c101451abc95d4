/** A file of the cache, read piece by piece into one buffer: a new buffer for each piece would wait for the collector. */
import type { FileHandle } from 'node:fs/promises';

const PIECE_BYTES = 128 * 1024;

/**
 * Calls `use` with each piece in order and waits for it; the bytes are overwritten afterwards. Answers how many bytes were
 * read, which are fewer than `size` when the file is shorter.
 */
export async function readPieces(
  { handle, size }: { handle: FileHandle; size: number },
  use: (piece: Uint8Array) => Promise<void> | void,
): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, size));
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    await use(buffer.subarray(0, bytesRead));
  }
  return at;
}
