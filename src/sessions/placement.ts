/** Puts a session's files where the CLI looks for them: from the archive, from a former CLI folder, or from memory. */
import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { archiveBytes, archivedFiles, readArchived } from './archive.ts';
import type { Place } from './choose.ts';
import { transcriptPath } from './folders.ts';
import { plainFiles, writeWhole } from './plain-files.ts';

/** Writes a transcript where the CLI looks; whatever was there is kept beside it for `sessions diagnose`. */
export async function putInPlace(session: SessionRow, bytes: Uint8Array): Promise<void> {
  await setAside(session);
  await writeWhole(session.config_folder, transcriptPath(session.id), bytes);
}

export async function setAside(session: SessionRow): Promise<void> {
  await renameAside(join(session.config_folder, transcriptPath(session.id)), 'set-aside');
}

/** The chosen stray goes to where the CLI looks; the others may not be found by the CLI any more. */
export async function gatherStrays(
  session: SessionRow,
  { stray, aside }: Pick<Place, 'stray' | 'aside'>,
): Promise<void> {
  if (stray !== null) {
    await setAside(session);
    await rename(stray, join(session.config_folder, transcriptPath(session.id)));
  }
  for (const file of aside) await renameAside(file, 'stray');
}

/** A `.claude.json` that does not parse holds nothing of ours. */
export async function setAsideConfig(configFolder: string): Promise<void> {
  await renameAside(join(configFolder, '.claude.json'), 'broken');
}

/** If the agent has put a folder at the usual name, another name is used: the conversation must be able to go on. */
async function renameAside(file: string, suffix: string): Promise<void> {
  for (const name of [`${file}.${suffix}`, `${file}.${suffix}-${randomUUID()}`]) {
    const error = await rename(file, name).then(
      () => null,
      (e: NodeJS.ErrnoException) => e,
    );
    if (error === null || error.code === 'ENOENT') return;
    if (!['EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
  }
}

/** Subagent transcripts and large tool results stand in a folder named for the session; the transcript points there. */
export async function restoreCompanions(database: Database, session: SessionRow): Promise<void> {
  const folder = `${transcriptPath(session.id).slice(0, -'.jsonl'.length)}/`;
  const files = await archivedFiles(database.rows, session.conversation_id);
  for (const file of files.filter((f) => f.path.startsWith(folder))) {
    const bytes = await readArchived(database.rows, session.conversation_id, file.path);
    if (bytes !== null) await writeWhole(session.config_folder, file.path, bytes);
  }
}

/** The same folder, from the former CLI folder. */
export async function fetchCompanions(from: SessionRow, to: SessionRow): Promise<void> {
  const folder = transcriptPath(to.id).slice(0, -'.jsonl'.length);
  for await (const { path, handle } of plainFiles(from.config_folder, folder)) {
    await writeWhole(to.config_folder, path, await handle.readFile());
  }
}

export async function replaceArchived(
  database: Database,
  session: SessionRow,
  bytes: Uint8Array,
): Promise<void> {
  await archiveBytes(database, {
    conversationId: session.conversation_id,
    path: transcriptPath(session.id),
    bytes,
  });
}

/** Call it after a verified run. An archive that did not follow, because the file was rewritten, gets the verified copy. */
export async function completeArchive(
  database: Database,
  session: SessionRow,
  verified: Uint8Array,
): Promise<void> {
  const files = await archivedFiles(database.rows, session.conversation_id);
  const archived = files.find((f) => f.path === transcriptPath(session.id));
  if (archived?.size !== verified.length) await replaceArchived(database, session, verified);
}
