/**
 * The first step of the resume ladder: what there is of a conversation's session. It reads rows and files and writes
 * neither, so a diagnosis takes it as well. Three statements.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { newestSession } from '../sessions.ts';
import {
  archivedCopy,
  type Copy,
  diskCopy,
  isPlainFile,
  isUsable,
  MISSING,
  type StrayCopy,
  strayCopies,
} from './copies.ts';
import { PROJECT_FOLDERS, transcriptPath } from './folders.ts';
import { type Asked, isTried } from './ladder-request.ts';
import { NotPlain, readPlain } from './plain-files.ts';
import { type Exchange, exchangesOf, heardIn, readTurns } from './record.ts';

export interface Survey {
  /** the newest of the chain, as its row says; null = the conversation has had none */
  session: SessionRow | null;
  /** null: no file of that session can matter to the run that asks */
  files: SessionFiles | null;
  /** oldest first */
  record: Exchange[];
  /** what the model said in this dispatch while the service listened, by the uuids of the transcript's lines */
  heard: ReadonlySet<string>;
  /** `.claude.json` does not parse, and the CLI does not start with such a file */
  isConfigBroken: boolean;
}

export interface SessionFiles {
  /** in the place where the CLI looks */
  disk: Copy;
  /** a plain file, readable or not, stands in that place */
  isPlaceTaken: boolean;
  /** a link or a file stands where the CLI's project folder belongs; it is moved aside before a run */
  isFolderOdd: boolean;
  /** this id in other project folders of the same CLI folder */
  strays: StrayCopy[];
  /** in the CLI folder that the row names, where the next run will use another one and has no usable copy there */
  former: Copy | null;
  archived: Copy;
}

export interface SurveyRequest extends Asked {
  conversationId: string;
  /** the CLI folder of the next run, absolute */
  configFolder: string;
  /** false: the archive is not read */
  archive: boolean;
}

export async function survey(rows: Rows, request: SurveyRequest): Promise<Survey> {
  const session = await newestSession(rows, request.conversationId);
  const turns = await readTurns(rows, request.conversationId);
  return {
    session,
    files: isTried(session, request) ? await surveyFiles(rows, session, request) : null,
    record: exchangesOf(turns),
    heard: heardIn(turns, request.dispatchId),
    isConfigBroken: await isConfigBroken(request.configFolder),
  };
}

export async function surveyFiles(
  rows: Rows,
  known: SessionRow,
  { configFolder, archive }: Pick<SurveyRequest, 'configFolder' | 'archive'>,
): Promise<SessionFiles> {
  const session = { ...known, config_folder: configFolder };
  const isFolderOdd = await isOdd(configFolder);
  const disk = await diskCopy(session);
  const isMoved = known.config_folder !== configFolder;
  const former = isMoved && (isFolderOdd || !isUsable(disk)) ? await diskCopy(known) : null;
  const strays = await strayCopies(session);
  const likely = isUsable(disk) ? disk : (former ?? strays[0]?.copy ?? disk);
  return {
    disk,
    isPlaceTaken: await isPlainFile(join(configFolder, transcriptPath(session.id))),
    isFolderOdd,
    strays,
    former,
    archived: archive ? await archivedCopy(rows, session, likely) : MISSING,
  };
}

async function isOdd(configFolder: string): Promise<boolean> {
  for (const folder of PROJECT_FOLDERS) {
    const found = await lstat(join(configFolder, folder)).catch(() => null);
    if (found !== null && !found.isDirectory()) return true;
  }
  return false;
}

export async function isConfigBroken(configFolder: string): Promise<boolean> {
  try {
    JSON.parse((await readPlain(configFolder, '.claude.json')).toString('utf8'));
    return false;
  } catch (error) {
    const isLink = (error as NodeJS.ErrnoException).code === 'ELOOP';
    return error instanceof SyntaxError || error instanceof NotPlain || isLink;
  }
}
