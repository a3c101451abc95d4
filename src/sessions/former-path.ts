/**
 * Earlier releases mounted the CLI folder into containers at its path on this machine. Histories from then name files by
 * that path (of a large output of a tool, a history has nothing but the path), and so does the system prompt that the CLI
 * keeps for as long as the session lives.
 */
import type { PreparedSession } from './apply.ts';
import { transcriptPath } from './folders.ts';
import { readPlain } from './plain-files.ts';

/** Whether the history or the preamble has such a path. Call it when the transcript is in its place. */
export async function namesFolder({
  session,
  start,
  preamble,
}: Pick<PreparedSession, 'session' | 'start' | 'preamble'>): Promise<boolean> {
  const { config_folder: folder, id } = session;
  if (preamble?.includes(folder)) return true;
  if (start === 'new') return false;
  return (await readPlain(folder, transcriptPath(id))).includes(JSON.stringify(folder).slice(1, -1));
}
