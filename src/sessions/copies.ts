/** Copies of a session's transcript, wherever they are, and what each is worth. Reads only. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { readArchived } from './archive.ts';
import { PROJECT_FOLDER_NAME, transcriptPath } from './folders.ts';
import { readPlain, realFolders } from './plain-files.ts';
import { holds, readTranscript, type Transcript } from './transcript.ts';

export type CopyState =
  /** every line parses, there are turns, and the verified head is among them */
  | 'good'
  /** as `good`, but some lines do not parse */
  | 'damaged'
  | 'missing'
  | 'unreadable'
  | 'empty'
  /** has bytes, but not a single turn */
  | 'garbage'
  /** has turns, but not the verified head: it was cut, is older, or is another history */
  | 'head-missing';

export interface Copy {
  state: CopyState;
  bytes: Uint8Array | null;
  transcript: Transcript | null;
  /** the operating system's error code, when reading failed */
  code: string | null;
}

export type UsableCopy = Copy & { bytes: Uint8Array; transcript: Transcript };

export const MISSING: Copy = { state: 'missing', bytes: null, transcript: null, code: null };

/** The copy in the place where the CLI looks. */
export async function diskCopy(session: SessionRow): Promise<Copy> {
  return await copyAt(session.config_folder, transcriptPath(session.id), session.head);
}

/** `path` is relative to `root`; no link below `root` is followed. */
async function copyAt(root: string, path: string, head: string | null): Promise<Copy> {
  try {
    return judge(await readPlain(root, path), head);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    return { ...MISSING, state: code === 'ENOENT' ? 'missing' : 'unreadable', code };
  }
}

/** `beside`: a copy that was judged already. Parsing 50 MB takes half a second, so equal bytes are not parsed again. */
export async function archivedCopy(rows: Rows, session: SessionRow, beside: Copy): Promise<Copy> {
  const bytes = await readArchived(rows, session.conversation_id, transcriptPath(session.id));
  if (bytes === null) return MISSING;
  const isEqual = beside.bytes !== null && Buffer.compare(bytes, beside.bytes) === 0;
  return isEqual ? { ...beside, bytes } : judge(bytes, session.head);
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

export function isUsable(copy: Copy): copy is UsableCopy {
  return copy.state === 'good' || copy.state === 'damaged';
}

export interface StrayCopy {
  /** absolute */
  file: string;
  copy: Copy;
}

/** Files of this id in other project folders of the same CLI folder. The CLI chooses one of them by its cwd. */
export async function strayCopies(session: SessionRow): Promise<StrayCopy[]> {
  const { config_folder: root, id, head } = session;
  const folders = await realFolders(root, 'projects');
  const found: StrayCopy[] = [];
  for (const folder of folders.filter((f) => f !== PROJECT_FOLDER_NAME)) {
    const path = join('projects', folder, `${id}.jsonl`);
    const file = join(root, path);
    if (await isPlainFile(file)) found.push({ file, copy: await copyAt(root, path, head) });
  }
  return found;
}

export async function isPlainFile(file: string): Promise<boolean> {
  return await lstat(file).then(
    (s) => s.isFile(),
    () => false,
  );
}

/** For the incident: what each copy was when the session was looked at. */
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
