/** What a diagnosis looks at besides the survey: why a file is not there, and where else it may be. Reads only. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Rows } from '../database/database.ts';
import type { IncidentRow, SessionRow } from '../database/tables.ts';
import { newestSession } from '../sessions.ts';
import { archivedFiles } from './archive.ts';
import { type Choice, choose } from './choose.ts';
import { type Copy, isUsable, MISSING, type StrayCopy } from './copies.ts';
import { exists, type FoundCopy, leftovers, searchElsewhere } from './elsewhere.ts';
import { cliFolders, transcriptPath } from './folders.ts';
import { exchangesOf, isEmpty, readTurns } from './record.ts';
import { isConfigBroken, surveyFiles } from './survey.ts';

export type ArchiveState =
  | 'missing'
  /** a beginning of what is on the disk */
  | 'behind'
  | 'equal'
  /** goes on where the disk ends, or the disk has nothing */
  | 'ahead'
  | 'diverged';

export interface DiagnoseOptions {
  /** of the CLI that would resume it, as `2.1.330` */
  currentCliVersion: string;
  /** homes or CLI folders to search, absolute */
  otherHomes?: string[];
  /** where the service keeps its state now, absolute; without it the row's own folder is believed */
  stateFolder?: string;
  /** false: the service uses no archive; as if there was none */
  archive?: boolean;
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
  strays: StrayCopy[];
  /** a link or a file stands where the CLI's project folder belongs */
  isFolderOdd: boolean;
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
  /** what the next dispatch would do; of a session that another one follows, as if it were still the current one */
  choice: Choice;
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
  const files = await surveyFiles(rows, row, {
    configFolder: session.config_folder,
    archive: options.archive ?? true,
  });
  const { archived, strays, isFolderOdd } = files;
  // What stands behind a link in the place of a folder is nobody's: the next dispatch moves the link aside.
  const disk = isFolderOdd ? MISSING : files.disk;
  const configBroken = await isConfigBroken(session.config_folder);
  const { record, ...rowsOfIt } = await rowFacts(rows, session);
  const found = {
    session: asCurrent(row),
    files,
    record,
    heard: new Set<string>(),
    isConfigBroken: configBroken,
  };
  return {
    session,
    wellFormed: UUID.test(session.id),
    transcript,
    folderExists: await exists(session.config_folder),
    disk,
    strays,
    isFolderOdd,
    elsewhere: isUsable(disk)
      ? []
      : await searchElsewhere({ session, formerFolder, otherHomes: options.otherHomes ?? [] }),
    leftovers: await leftovers(transcript),
    access: await readAccess(transcript, disk),
    formerFolder,
    cleanupAt: await cleanupTime(session.config_folder),
    configBroken,
    archived,
    archive: compareArchive(disk, archived),
    archiveHole: archived.bytes === null && (await isInArchive(rows, session)),
    foreignIds: disk.bytes === null ? [] : foreignIds(disk.bytes, session.id),
    exchanges: record.filter((e) => !isEmpty(e)).length,
    ...rowsOfIt,
    choice: choose(found, NEXT_DISPATCH),
    options,
  };
}

/** A dispatch of an agent that resumes, before its first attempt. */
const NEXT_DISPATCH = { dispatchId: null, policy: 'resume', floor: 'resumed', floorReason: null } as const;

function asCurrent(row: SessionRow): SessionRow {
  if (row.replaced_by === null) return row;
  return { ...row, state: row.verified_at === null ? 'proposed' : 'verified' };
}

/** What the CLI accepts as `resume`: an upper-case one is not found. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function rowFacts(rows: Rows, session: SessionRow) {
  const record = exchangesOf(await readTurns(rows, session.conversation_id));
  const newest = await newestSession(rows, session.conversation_id);
  const isOpen = newest?.state === 'proposed' || newest?.state === 'verified';
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
  return { record, current: isOpen && newest.id === session.id, running, incidents };
}

/** access(2) reports EROFS and EACCES without a write; making a file to try it would change the folder. */
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
 * The file, or the nearest folder above it that exists. Above the CLI folder the search goes on only after EACCES: if the
 * folder is simply not there, its volume is gone, and the rights of the mount point mean nothing.
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
    const id = parsed(line)?.sessionId;
    if (typeof id === 'string' && id !== sessionId) ids.add(id);
  }
  return [...ids];
}

function parsed(line: string): { sessionId?: unknown } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
