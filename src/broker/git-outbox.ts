/**
 * The outbox: a folder an agent writes and the worker reads. Nothing in it is trusted to be what its name says: files
 * are opened without following links and without waiting for a FIFO, must be plain, and are read to a limit.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export type RequestKind = 'push' | 'fetch' | 'sign';

export interface OutboxRequest {
  id: string;
  kind: RequestKind;
}

const NAME = /^((push|fetch|sign)-[0-9]{1,10}-[0-9]{1,3})\.(claim|refs|pack|data|ready)$/;
const PARTS = ['refs', 'pack', 'data', 'ready', 'claim'] as const;
export type Part = (typeof PARTS)[number];

// An honest outbox holds a handful; the rest of a flooded one is not looked at.
const MOST_NAMES = 2000;
const CHUNK = 64 * 1024;

/** The agent put something else there; a sentence for the audit. */
export class OddFile extends Error {
  override name = 'OddFile';
}

export class FileTooLarge extends Error {
  override name = 'FileTooLarge';
}

/** What is ready, and which names are none of ours. */
export async function listOutbox(outbox: string): Promise<{ ready: OutboxRequest[]; odd: string[] }> {
  const ready: OutboxRequest[] = [];
  const odd: string[] = [];
  let seen = 0;
  for await (const entry of await opendir(outbox)) {
    seen += 1;
    if (seen > MOST_NAMES) break;
    const [, id, kind, part] = NAME.exec(entry.name) ?? [];
    if (id === undefined || !entry.isFile()) odd.push(entry.name);
    else if (part === 'ready') ready.push({ id, kind: kind as RequestKind });
  }
  return { ready: ready.sort((a, b) => (a.id < b.id ? -1 : 1)), odd };
}

/** null where there is no such file. */
export async function readPart(
  outbox: string,
  id: string,
  at: { part: Part; max: number },
): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  const found = await eachChunk(join(outbox, `${id}.${at.part}`), at.max, async (chunk) => {
    chunks.push(chunk);
  });
  return found ? Buffer.concat(chunks) : null;
}

/** Into a file of the worker's own; false where there is no such part. */
export async function copyPart(
  outbox: string,
  id: string,
  at: { part: Part; max: number; to: string },
): Promise<boolean> {
  let target: FileHandle | null = null;
  try {
    return await eachChunk(join(outbox, `${id}.${at.part}`), at.max, async (chunk) => {
      target ??= await open(at.to, 'w', 0o600);
      await target.writeFile(chunk);
    });
  } finally {
    await (target as FileHandle | null)?.close();
  }
}

/** Whatever is there under these names; a link is removed, not what it leads to. */
export async function removeParts(outbox: string, id: string): Promise<void> {
  for (const part of PARTS) await unlink(join(outbox, `${id}.${part}`)).catch(() => {});
}

async function eachChunk(
  path: string,
  max: number,
  take: (chunk: Buffer) => Promise<void>,
): Promise<boolean> {
  const file = await openPlain(path);
  if (file === null) return false;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new OddFile('not a plain file');
    if (stat.nlink !== 1) throw new OddFile('a file with several names');
    if (stat.size > max) throw new FileTooLarge(`${stat.size} bytes`);
    let total = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, total);
      if (bytesRead === 0) return true;
      total += bytesRead;
      // It may grow while it is read.
      if (total > max) throw new FileTooLarge(`more than ${max} bytes`);
      await take(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function openPlain(path: string): Promise<FileHandle | null> {
  try {
    // guard: relay: links in the outbox
    // guard: relay: FIFO in the outbox
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT') return null;
    if (['ELOOP', 'ENXIO', 'EACCES', 'EISDIR', 'ENODEV', 'EPERM'].includes(code)) {
      throw new OddFile(`a link, a device or unreadable (${code})`);
    }
    throw error;
  }
}
