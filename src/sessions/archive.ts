/**
 * The transcript archive: a byte-exact copy of everything below a CLI folder's `projects/`, in the database.
 *
 * The CLI never calls fsync and its folder is on one machine; the archive is what a session is restored from. Files
 * are appended by offset while they grow. A file that is no longer a continuation of what is archived (rewritten,
 * replaced, cut) starts a new generation; the older generation goes with the same transaction.
 */
import { lstat, mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Database, Rows } from '../database/database.ts';

/** One row's worth: keeps a single insert far below SQLite's and the driver's limits. */
const CHUNK_BYTES = 1 << 20;

export interface ArchivedFile {
  path: string;
  generation: number;
  size: number;
}

/** Appends to the archive what the CLI's files have gained. `size` of every file it saw is returned. */
export async function archiveFolder(
  database: Database,
  conversationId: string,
  configFolder: string,
): Promise<ArchivedFile[]> {
  const known = new Map((await archivedFiles(database.rows, conversationId)).map((f) => [f.path, f]));
  const result: ArchivedFile[] = [];
  for (const path of await listFiles(configFolder, join(configFolder, 'projects'))) {
    result.push(await archiveFile(database, { conversationId, configFolder, path, known: known.get(path) }));
  }
  return result;
}

interface FileToArchive {
  conversationId: string;
  configFolder: string;
  path: string;
  known: ArchivedFile | undefined;
}

async function archiveFile(database: Database, file: FileToArchive): Promise<ArchivedFile> {
  const handle = await open(join(file.configFolder, file.path), 'r');
  try {
    const { size } = await handle.stat();
    const known = file.known;
    if (known !== undefined && size === known.size) return known;
    const isAppended = known !== undefined && size > known.size;
    const start = isAppended ? known.size : 0;
    const generation = isAppended ? known.generation : (known?.generation ?? 0) + 1;
    let at = start;
    while (at < size) {
      const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
      if (bytesRead === 0) break;
      const chunk = { ...file, generation, start: at, bytes: bytes.subarray(0, bytesRead) };
      await appendChunk(database, chunk);
      at += bytesRead;
    }
    return { path: file.path, generation, size: at };
  } finally {
    await handle.close();
  }
}

interface Chunk {
  conversationId: string;
  path: string;
  generation: number;
  start: number;
  bytes: Uint8Array;
}

async function appendChunk(database: Database, chunk: Chunk): Promise<void> {
  await database.transaction(async (tx) => {
    const key = { conversation_id: chunk.conversationId, path: chunk.path };
    const end = chunk.start + chunk.bytes.length;
    await tx
      .insertInto('transcript_chunks')
      .values({ ...key, generation: chunk.generation, start: chunk.start, bytes: chunk.bytes })
      .onConflict((c) => c.columns(['conversation_id', 'path', 'generation', 'start']).doNothing())
      .execute();
    await tx
      .insertInto('transcript_files')
      .values({ ...key, generation: chunk.generation, size: end })
      .onConflict((c) =>
        c.columns(['conversation_id', 'path']).doUpdateSet({ generation: chunk.generation, size: end }),
      )
      .execute();
    if (chunk.start === 0) await dropOlderGenerations(tx, chunk);
  });
}

async function dropOlderGenerations(tx: Rows, chunk: Chunk): Promise<void> {
  await tx
    .deleteFrom('transcript_chunks')
    .where('conversation_id', '=', chunk.conversationId)
    .where('path', '=', chunk.path)
    .where('generation', '<', chunk.generation)
    .execute();
}

export async function archivedFiles(rows: Rows, conversationId: string): Promise<ArchivedFile[]> {
  return await rows
    .selectFrom('transcript_files')
    .select(['path', 'generation', 'size'])
    .where('conversation_id', '=', conversationId)
    .execute();
}

/** The archived bytes of one file, or null when the archive has none of it (or has a hole, which is the same). */
export async function readArchived(
  rows: Rows,
  conversationId: string,
  path: string,
): Promise<Uint8Array | null> {
  const file = await rows
    .selectFrom('transcript_files')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('path', '=', path)
    .executeTakeFirst();
  if (file === undefined) return null;
  const chunks = await rows
    .selectFrom('transcript_chunks')
    .select(['start', 'bytes'])
    .where('conversation_id', '=', conversationId)
    .where('path', '=', path)
    .where('generation', '=', file.generation)
    .orderBy('start')
    .execute();
  const whole = Buffer.alloc(file.size);
  let at = 0;
  for (const chunk of chunks) {
    if (chunk.start !== at) return null;
    at += Buffer.from(chunk.bytes).copy(whole, at);
  }
  return at === file.size ? whole : null;
}

/** Replaces a file in the archive by these bytes: after a repair, and for a transcript we wrote ourselves. */
export async function archiveBytes(
  database: Database,
  file: { conversationId: string; path: string; bytes: Uint8Array },
): Promise<void> {
  const known = (await archivedFiles(database.rows, file.conversationId)).find((f) => f.path === file.path);
  const generation = (known?.generation ?? 0) + 1;
  for (let start = 0; start < file.bytes.length; start += CHUNK_BYTES) {
    const bytes = file.bytes.subarray(start, start + CHUNK_BYTES);
    await appendChunk(database, { ...file, generation, start, bytes });
  }
}

/** Forgets a file: a first turn that failed is started again under the same id, from nothing. */
export async function dropArchived(rows: Rows, conversationId: string, path: string): Promise<void> {
  for (const table of ['transcript_chunks', 'transcript_files'] as const) {
    await rows
      .deleteFrom(table)
      .where('conversation_id', '=', conversationId)
      .where('path', '=', path)
      .execute();
  }
}

/** Writes through a temporary file and fdatasync: the file is whole or absent, also after a power cut. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

/** Regular files below a folder, relative to `root`. Links are skipped: an agent can write them, we do not follow. */
async function listFiles(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await listFiles(root, path)));
    else if (entry.isFile() && !entry.name.endsWith('.tmp') && (await lstat(path)).isFile()) {
      found.push(relative(root, path));
    }
  }
  return found;
}
