/**
 * Contents of Git LFS on this machine, in the layout of git-lfs: `objects/ab/cd/<oid>`. The mirror's store is ours, and
 * agents see it in `origin`. The stores in a checkout and in a relay are written by agents, so nothing in them is
 * trusted: no link on the way is followed, and only a plain file of the named size and SHA-256 is taken.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pointer } from './lfs-pointer.ts';

const CHUNK = 1024 * 1024;

/** Folders in which an agent's git leaves contents: in its checkout, and in the repository it pushes to. */
export interface AgentStores {
  checkout: string;
  /** `push.git` of the relay */
  relay: string;
}

export function storedPath(mirror: string, { oid }: Pointer): string {
  return join(mirror, 'lfs', 'objects', ...partsOf(oid));
}

export async function isStored(mirror: string, pointer: Pointer): Promise<boolean> {
  const found = await lstat(storedPath(mirror, pointer)).catch(() => null);
  return found?.isFile() === true && found.size === pointer.size;
}

/** Copies a content from an agent's store into the mirror's; false where no store has it whole. */
export async function takeFromAgent(mirror: string, stores: AgentStores, pointer: Pointer): Promise<boolean> {
  for (const [root, ...below] of [
    [stores.checkout, '.git', 'lfs', 'objects'],
    [stores.relay, 'lfs', 'objects'],
  ] as const) {
    const file = await openPlain(root, [...below, ...partsOf(pointer.oid)]);
    if (file === null) continue;
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size !== pointer.size) continue;
      if (await keep(mirror, pointer, chunksOf(file))) return true;
    } finally {
      await file.close();
    }
  }
  return false;
}

/** Stores the content in the mirror's store, if it is what the pointer names. */
export async function keep(
  mirror: string,
  pointer: Pointer,
  chunks: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const incoming = join(mirror, 'lfs', 'incoming', `${pointer.oid}-${randomBytes(6).toString('hex')}`);
  await mkdir(dirname(incoming), { recursive: true });
  try {
    if (!(await writeWhole(incoming, pointer, chunks))) return false;
    const path = storedPath(mirror, pointer);
    await mkdir(dirname(path), { recursive: true });
    await rename(incoming, path);
    return true;
  } finally {
    await rm(incoming, { force: true });
  }
}

async function writeWhole(path: string, pointer: Pointer, chunks: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunks) {
      size += chunk.byteLength;
      if (size > pointer.size) return false;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  // guard: lfs: what is sent is what is named, part 1
  return size === pointer.size && hash.digest('hex') === pointer.oid;
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Each folder is opened from the one before, beginning with one of ours: the agent may put a link in the way at any
 * moment, and could send another repository's contents through it. null where a step is not a plain folder or file.
 */
async function openPlain(root: string, parts: readonly string[]): Promise<FileHandle | null> {
  // guard: lfs: no link on the way to a content
  const folder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const plain = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  let at = await openOrNull(root, folder);
  for (const [n, part] of parts.entries()) {
    if (at === null) return null;
    const step = `/proc/self/fd/${at.fd}/${part}`;
    const next: FileHandle | null = await openOrNull(step, n < parts.length - 1 ? folder : plain);
    await at.close();
    at = next;
  }
  return at;
}

async function openOrNull(path: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(path, flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EACCES', 'EISDIR', 'EPERM', 'ENODEV'].includes(code))
      return null;
    throw error;
  }
}

function partsOf(oid: string): string[] {
  return [oid.slice(0, 2), oid.slice(2, 4), oid];
}
