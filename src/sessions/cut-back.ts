/** Takes a refused turn out of a session, so that its transcript ends with the last answer again. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { dropArchived } from './archive.ts';
import { diskCopy } from './copies.ts';
import { transcriptPath } from './folders.ts';
import { putInPlace, replaceArchived } from './placement.ts';
import { withoutAfter } from './transcript.ts';

/**
 * The history is sent with each turn, so a refused text in it would be refused again. The steps of the refused turn go as
 * well: what they changed is in the checkout, and the record names them.
 */
export async function cutBack(
  database: Database,
  session: SessionRow,
  { archive }: { archive: boolean },
): Promise<void> {
  if (session.head === null) {
    if (archive) {
      await database.transaction((tx) =>
        dropArchived(tx, session.conversation_id, transcriptPath(session.id)),
      );
    }
    await rm(join(session.config_folder, transcriptPath(session.id)), { force: true });
    return;
  }
  const { bytes } = await diskCopy(session);
  // guard: a refused turn leaves the transcript
  const kept = bytes === null ? null : withoutAfter(bytes, session.head);
  if (kept === null) return;
  await putInPlace(session, kept);
  if (archive) await replaceArchived(database, session, kept);
}
