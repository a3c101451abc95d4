/** Everything that can be seen of one session, on the disk and in the rows. Reads only. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Rows } from '../database/database.ts';
import type { IncidentRow, SessionRow } from '../database/tables.ts';
import { archivedFiles } from '../sessions/archive.ts';
import {
  archivedCopy,
  type Copy,
  diskCopy,
  isConfigBroken,
  isUsable,
  strayCopies,
} from '../sessions/evidence.ts';
import { cliFolders, transcriptPath } from '../sessions/folders.ts';
import { readRecord } from '../sessions/record.ts';
import { currentSession } from '../sessions.ts';
import { storedJson } from '../views/stored.ts';
import type { ArchiveState } from './diagnosis.ts';
import { exists, type FoundCopy, judgeFile, leftovers, searchElsewhere } from './elsewhere.ts';

export interface DiagnoseOptions {
  /** of the CLI that would resume it, as `2.1.330` */
  currentCliVersion: string;
  /** homes or CLI folders to search, absolute */
  otherHomes?: string[];
  /** where the service keeps its state now, absolute; without it the row's own folder is believed */
  stateFolder?: string;
}

export interface SessionFacts {
  /** with the CLI folder the next dispatch would use */
  session: SessionRow;
  /** the CLI finds only a lower-case UUID */
  wellFormed: boolean;
  transcript: string;
  folderExists: boolean;
  disk: Copy;
  /** files of this id in other project folders of the same CLI folder */
  strays: { file: string; copy: Copy }[];
  elsewhere: FoundCopy[];
  leftovers: string[];
  access: AccessFacts;
  /** the CLI folder the row names, when the service would now use another */
  formerFolder: string | null;
  /** ms; when the CLI last swept old transcripts here */
  cleanupAt: number | null;
  configBroken: boolean;
  archived: Copy;
  archive: ArchiveState;
  /** the archive names the file, and has not all of its bytes */
  archiveHole: boolean;
  /** other session ids that lines of the transcript carry */
  foreignIds: string[];
  /** exchanges our own record could rebuild from */
  exchanges: number;
  current: boolean;
  running: { id: string } | undefined;
  incidents: IncidentRow[];
  options: DiagnoseOptions;
}

/** As this process sees it; a container's mounts and uid can differ. */
export interface AccessFacts {
  /** the path that was asked about: the transcript, or the nearest folder that exists */
  path: string;
  readError: string | null;
  writeError: string | null;
  ownerUid: number | null;
  ourUid: number | null;
  /** bytes, null when the file system does not say */
  freeBytes: number | null;
}

export async function gatherFacts(
  rows: Rows,
  row: SessionRow,
  options: DiagnoseOptions,
): Promise<SessionFacts> {
  const session = whereTheCliLooks(row, options.stateFolder);
  const formerFolder = session.config_folder === row.config_folder ? null : row.config_folder;
  const transcript = join(session.config_folder, transcriptPath(session.id));
  const disk = await diskCopy(session);
  const archived = await archivedCopy(rows, session);
  const strays = await strayCopies(session);
  return {
    session,
    wellFormed: UUID.test(session.id),
    transcript,
    folderExists: await exists(session.config_folder),
    disk,
    strays: await Promise.all(
      strays.map(async (file) => ({ file, copy: await judgeFile(file, session.head) })),
    ),
    elsewhere: isUsable(disk)
      ? []
      : await searchElsewhere({ session, formerFolder, otherHomes: options.otherHomes ?? [] }),
    leftovers: await leftovers(transcript),
    access: await readAccess(transcript, disk),
    formerFolder,
    cleanupAt: await cleanupTime(session.config_folder),
    configBroken: await isConfigBroken(session.config_folder),
    archived,
    archive: compareArchive(disk, archived),
    archiveHole: archived.bytes === null && (await isInArchive(rows, session)),
    foreignIds: disk.bytes === null ? [] : foreignIds(disk.bytes, session.id),
    ...(await rowFacts(rows, session)),
    options,
  };
}

/** What the CLI accepts as `resume`: an upper-case one is not found. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function rowFacts(rows: Rows, session: SessionRow) {
  const record = await readRecord(rows, session.conversation_id);
  const current = await currentSession(rows, session.conversation_id);
  const running = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', session.conversation_id)
    .where('state', '=', 'running')
    .executeTakeFirst();
  const incidents = await rows
    .selectFrom('incidents')
    .selectAll()
    .where('session_id', '=', session.id)
    .orderBy('seq')
    .execute();
  return {
    exchanges: record.filter((e) => e.answer !== null || e.actions.length > 0).length,
    current: current?.id === session.id,
    running,
    incidents,
  };
}

/**
 * access(2) answers EROFS and EACCES without touching anything; a file made to try it would be a change.
 */
async function readAccess(transcript: string, disk: Copy): Promise<AccessFacts> {
  const path = await nearestExisting(transcript);
  const owner = path === null ? null : await stat(path).catch(() => null);
  const space = path === null ? null : await statfs(path).catch(() => null);
  return {
    path: path ?? transcript,
    readError: disk.state === 'unreadable' ? disk.code : null,
    writeError: path === null ? null : await accessError(path, constants.W_OK),
    ownerUid: owner?.uid ?? null,
    ourUid: process.getuid?.() ?? null,
    freeBytes: space === null ? null : space.bavail * space.bsize,
  };
}

async function accessError(path: string, mode: number): Promise<string | null> {
  return await access(path, mode).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code ?? 'UNKNOWN',
  );
}

/**
 * The file, or the nearest folder above it that can be seen. Above the CLI folder only as long as the way is barred:
 * where nothing bars it and nothing is there, the volume is gone, and its mount point says nothing about it.
 */
async function nearestExisting(transcript: string): Promise<string | null> {
  let path = transcript;
  for (let level = 0; ; level++) {
    const code = await stat(path).then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code === null) return path;
    if (path === dirname(path) || (level >= LEVELS_OF_CLI_FOLDER && code !== 'EACCES')) return null;
    path = dirname(path);
  }
}

/** file, project folder, `projects`, CLI folder */
const LEVELS_OF_CLI_FOLDER = 3;

function whereTheCliLooks(row: SessionRow, stateFolder: string | undefined): SessionRow {
  if (stateFolder === undefined) return row;
  return { ...row, config_folder: cliFolders(stateFolder, row.conversation_id).config };
}

/** The CLI writes this file anew whenever it has swept, at most once a day. */
async function cleanupTime(configFolder: string): Promise<number | null> {
  const mark = await stat(join(configFolder, '.last-cleanup')).catch(() => null);
  return mark?.mtimeMs ?? null;
}

function compareArchive(disk: Copy, archived: Copy): ArchiveState {
  if (archived.bytes === null) return 'missing';
  const onDisk = disk.bytes ?? new Uint8Array();
  const shared = Math.min(onDisk.length, archived.bytes.length);
  if (Buffer.compare(onDisk.subarray(0, shared), archived.bytes.subarray(0, shared)) !== 0) return 'diverged';
  if (onDisk.length === archived.bytes.length) return 'equal';
  return onDisk.length > archived.bytes.length ? 'behind' : 'ahead';
}

async function isInArchive(rows: Rows, session: SessionRow): Promise<boolean> {
  const files = await archivedFiles(rows, session.conversation_id);
  return files.some((f) => f.path === transcriptPath(session.id));
}

function foreignIds(bytes: Uint8Array, sessionId: string): string[] {
  const ids = new Set<string>();
  for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
    const id = (storedJson(line) as { sessionId?: unknown } | null)?.sessionId;
    if (typeof id === 'string' && id !== sessionId) ids.add(id);
  }
  return [...ids];
}
