/** What can be seen of a session's transcript: on the disk, in the archive, and what each is worth. */
import { lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { readArchived } from './archive.ts';
import { PROJECT_FOLDER_NAME, transcriptPath } from './folders.ts';
import { renameAside } from './placement.ts';
import { NotPlain, readPlain, realFolders } from './plain-files.ts';
import { holds, readTranscript, type Transcript } from './transcript.ts';

export type CopyState =
  /** parses, holds turns, and the verified head is in it */
  | 'good'
  /** as good, but with lines that do not parse */
  | 'damaged'
  | 'missing'
  | 'unreadable'
  | 'empty'
  /** bytes, but not one turn in them */
  | 'garbage'
  /** holds turns, but not the verified head: cut, older, or of another history */
  | 'head-missing';

export interface Copy {
  state: CopyState;
  bytes: Uint8Array | null;
  transcript: Transcript | null;
  /** operating system's error code, when reading failed */
  code: string | null;
}

export async function diskCopy(session: SessionRow): Promise<Copy> {
  try {
    return judge(await readPlain(session.config_folder, transcriptPath(session.id)), session.head);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    return { state: code === 'ENOENT' ? 'missing' : 'unreadable', bytes: null, transcript: null, code };
  }
}

export async function archivedCopy(rows: Rows, session: SessionRow): Promise<Copy> {
  const bytes = await readArchived(rows, session.conversation_id, transcriptPath(session.id));
  if (bytes === null) return { state: 'missing', bytes: null, transcript: null, code: null };
  return judge(bytes, session.head);
}

export function judge(bytes: Uint8Array, head: string | null): Copy {
  const transcript = readTranscript(bytes);
  return { state: stateOf(transcript, head), bytes, transcript, code: null };
}

function stateOf(transcript: Transcript, head: string | null): CopyState {
  if (transcript.size === 0) return 'empty';
  if (transcript.entries.length === 0) return 'garbage';
  // guard: longer copy of a transcript
  if (head !== null && !holds(transcript, head)) return 'head-missing';
  return transcript.badLines > 0 ? 'damaged' : 'good';
}

export function isUsable(copy: Copy): copy is Copy & { bytes: Uint8Array; transcript: Transcript } {
  return copy.state === 'good' || copy.state === 'damaged';
}

/** Other project folders that hold this id: one id in two folders is two histories (SDK: the cwd decides which). */
export async function strayCopies(session: SessionRow): Promise<string[]> {
  const projects = join(session.config_folder, 'projects');
  const folders = await realFolders(session.config_folder, 'projects');
  const found: string[] = [];
  for (const folder of folders.filter((f) => f !== PROJECT_FOLDER_NAME)) {
    const file = join(projects, folder, `${session.id}.jsonl`);
    if (await isPlain(file)) found.push(file);
  }
  return found;
}

/** Moves a transcript that stands in another project folder to where the CLI will look; others are set aside. */
export async function gatherStrays(session: SessionRow, strays: string[]): Promise<void> {
  const place = join(session.config_folder, transcriptPath(session.id));
  const present = await isPlain(place);
  const [first, ...others] = present ? [undefined, ...strays] : strays;
  if (first !== undefined) await rename(first, place);
  for (const stray of others.filter((s) => s !== undefined)) await renameAside(stray, 'stray');
}

/** A `.claude.json` that does not parse stops every start. It holds nothing of ours: it is set aside. */
export async function setAsideBrokenConfig(configFolder: string): Promise<boolean> {
  if (!(await isConfigBroken(configFolder))) return false;
  await renameAside(join(configFolder, '.claude.json'), 'broken');
  return true;
}

export async function isConfigBroken(configFolder: string): Promise<boolean> {
  try {
    JSON.parse((await readPlain(configFolder, '.claude.json')).toString('utf8'));
    return false;
  } catch (error) {
    return error instanceof SyntaxError || error instanceof NotPlain || hasCode(error, 'ELOOP');
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

async function isPlain(file: string): Promise<boolean> {
  return await lstat(file).then(
    (s) => s.isFile(),
    () => false,
  );
}

/** For the record of how a session was found. */
export function describeCopies(disk: Copy, archived: Copy): Record<string, unknown> {
  const describe = (copy: Copy): Record<string, unknown> => ({
    state: copy.state,
    bytes: copy.bytes?.length ?? 0,
    ...(copy.code === null ? {} : { code: copy.code }),
    ...(copy.transcript === null || copy.transcript.badLines === 0
      ? {}
      : { badLines: copy.transcript.badLines }),
  });
  return { disk: describe(disk), archive: describe(archived) };
}
