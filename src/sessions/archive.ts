/**
 * The transcript archive: a byte-exact copy of everything below a CLI folder's `projects/`, in the database.
 *
 * The CLI never calls fsync and its folder is on one machine; the archive is what a session is restored from. Files
 * are appended by offset while they grow. A file that is no longer a continuation of what is archived (rewritten,
 * replaced, cut) starts a new generation; the older generation goes with the same transaction.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Database, Rows } from '../database/database.ts';
import { faultPoint } from '../faults.ts';
import { LARGEST_FILE, type PlainFile, plainFiles } from './plain-files.ts';

/** One row's worth: keeps a single insert far below SQLite's and the driver's limits. */
const CHUNK_BYTES = 1 << 20;

/** What the last passes of one archiver found: a pass that finds nothing new asks the database nothing. */
export type SeenFiles = Map<string, SeenFile>;

interface SeenFile {
  /** size and time of the file */
  state: string;
  /** what the archive holds of it; undefined = nothing */
  archived: ArchivedFile | undefined;
  /** the newest chunk, where this archiver has written or compared it */
  newest: { start: number; length: number; digest: string } | null;
}

export interface ArchivedFile {
  path: string;
  generation: number;
  size: number;
}

/** Appends to the archive what the CLI's files have gained. Answers what the archive now holds of the files it saw. */
export async function archiveFolder(
  database: Database,
  conversationId: string,
  configFolder: string,
  seen: SeenFiles = new Map(),
): Promise<ArchivedFile[]> {
  let inArchive: Map<string, ArchivedFile> | null = null;
  const ask = async (path: string): Promise<ArchivedFile | undefined> => {
    inArchive ??= new Map((await archivedFiles(database.rows, conversationId)).map((f) => [f.path, f]));
    return inArchive.get(path);
  };
  const result: ArchivedFile[] = [];
  for await (const { path, handle } of plainFiles(configFolder, 'projects')) {
    if (path.endsWith('.tmp')) continue;
    const { size, mtimeMs } = await handle.stat();
    const state = `${size} ${mtimeMs}`;
    const before = seen.get(path);
    if (before?.state === state && before.archived !== undefined) {
      result.push(before.archived);
      continue;
    }
    // Until it is archived the next pass asks again: an error in the middle must not look like a pass.
    seen.delete(path);
    const known = before === undefined ? await ask(path) : before.archived;
    const file = { conversationId, path, handle, size, known, newest: before?.newest ?? null };
    const archived = await archiveFile(database, file);
    if (archived.isWhole) seen.set(path, { state, archived: archived.file, newest: archived.newest });
    if (archived.file !== undefined) result.push(archived.file);
  }
  return result;
}

interface FileToArchive extends PlainFile {
  conversationId: string;
  size: number;
  known: ArchivedFile | undefined;
  newest: SeenFile['newest'];
}

interface Archived {
  file: ArchivedFile | undefined;
  newest: SeenFile['newest'];
  /** false: somebody else has written, so that what is known here is not what the archive holds */
  isWhole: boolean;
}

async function archiveFile(database: Database, file: FileToArchive): Promise<Archived> {
  const { handle, known, size } = file;
  const asItWas = { file: known, newest: file.newest, isWhole: true };
  // An emptied file has nothing to restore; what is archived of it may be all that is left.
  if (size === 0 || size > LARGEST_FILE) return asItWas;
  const isContinued = known !== undefined && size >= known.size && (await continues(database, file, handle));
  // A transcript only grows. One that does not continue was damaged or replaced, and the archived copy may be the better
  // one. The verification after a run and the resume ladder decide between them, not the archiver.
  if (known !== undefined && !isContinued && file.path.endsWith('.jsonl')) return asItWas;
  const generation = isContinued ? known.generation : (known?.generation ?? 0) + 1;
  let at = isContinued ? known.size : 0;
  let newest = isContinued ? file.newest : null;
  let isWhole = true;
  while (at < size) {
    const bytes = await readAt(handle, at, Math.min(CHUNK_BYTES, size - at));
    if (bytes.length === 0) break;
    const { conversationId, path } = file;
    isWhole = await appendChunk(database, { conversationId, path, generation, start: at, bytes });
    if (!isWhole) break;
    newest = { start: at, length: bytes.length, digest: digestOf(bytes) };
    at += bytes.length;
  }
  return { file: { path: file.path, generation, size: at }, newest, isWhole };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function readAt(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, start);
  return bytes.subarray(0, bytesRead);
}

/**
 * Does the file still hold the newest archived chunk where it was? Comparing everything would read a 50 MB transcript
 * from the database at every pass; a rewritten file that keeps exactly this stretch is not noticed before the next
 * resume, which compares whole copies.
 */
async function continues(database: Database, file: FileToArchive, handle: FileHandle): Promise<boolean> {
  const { newest } = file;
  if (newest !== null) return digestOf(await readAt(handle, newest.start, newest.length)) === newest.digest;
  const last = await database.rows
    .selectFrom('transcript_chunks')
    .select(['start', 'bytes'])
    .where('conversation_id', '=', file.conversationId)
    .where('path', '=', file.path)
    .where('generation', '=', file.known!.generation)
    .orderBy('start', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return false;
  return Buffer.compare(await readAt(handle, last.start, last.bytes.length), last.bytes) === 0;
}

interface Chunk {
  conversationId: string;
  path: string;
  generation: number;
  start: number;
  bytes: Uint8Array;
}

/** False, and nothing is written, when the archive is not where the caller saw it: somebody else appended. */
async function appendChunk(database: Database, chunk: Chunk): Promise<boolean> {
  const appended = await database.transaction(async (tx) => {
    if (!(await claimSpan(tx, chunk))) return false;
    faultPoint('archive.claimed');
    if (chunk.start === 0) await dropOlderGenerations(tx, chunk);
    await tx
      .insertInto('transcript_chunks')
      .values({
        conversation_id: chunk.conversationId,
        path: chunk.path,
        generation: chunk.generation,
        start: chunk.start,
        bytes: chunk.bytes,
      })
      .execute();
    return true;
  });
  if (appended) faultPoint('archive.appended');
  return appended;
}

/** The file's row is the lock: of two archivers at the same offset one goes on, so that no hole can be written. */
async function claimSpan(tx: Rows, chunk: Chunk): Promise<boolean> {
  const { conversationId, path, generation, start } = chunk;
  const size = start + chunk.bytes.length;
  if (start > 0) {
    const { numUpdatedRows } = await tx
      .updateTable('transcript_files')
      .set({ size })
      .where('conversation_id', '=', conversationId)
      .where('path', '=', path)
      .where('generation', '=', generation)
      .where('size', '=', start)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('transcript_files')
    .values({ conversation_id: conversationId, path, generation, size })
    .onConflict((c) =>
      c
        .columns(['conversation_id', 'path'])
        .doUpdateSet({ generation, size })
        .where('transcript_files.generation', '<', generation),
    )
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
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
  const chunks = await rows
    .selectFrom('transcript_files as f')
    .innerJoin('transcript_chunks as c', (join) =>
      join
        .onRef('c.conversation_id', '=', 'f.conversation_id')
        .onRef('c.path', '=', 'f.path')
        .onRef('c.generation', '=', 'f.generation'),
    )
    .select(['f.size', 'c.start', 'c.bytes'])
    .where('f.conversation_id', '=', conversationId)
    .where('f.path', '=', path)
    .orderBy('c.start')
    .execute();
  const first = chunks[0];
  if (first === undefined) return null;
  const whole = Buffer.alloc(first.size);
  let at = 0;
  for (const chunk of chunks) {
    if (chunk.start !== at) return null;
    at += Buffer.from(chunk.bytes).copy(whole, at);
  }
  return at === whole.length ? whole : null;
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
    const appended = await appendChunk(database, { ...file, generation, start, bytes });
    if (!appended) {
      throw new Error(
        `The archive of ${file.path} was written by somebody else at the same time. ` +
          'The dispatch is tried again; if this repeats, look for a second worker with this state folder.',
      );
    }
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
