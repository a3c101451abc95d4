/**
 * Containers once had the CLI folder at its path on this machine, and histories from then name files in it: a large
 * output of a tool is one, and the history says only where it is. The system prompt names the folder, too, and the CLI
 * keeps it for as long as the session lives.
 */

import type { PreparedSession } from './apply.ts';
import { transcriptPath } from './folders.ts';
import { readPlain } from './plain-files.ts';

/** Whether what the model will see has such a path. To be asked when the transcript is in its place. */
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
