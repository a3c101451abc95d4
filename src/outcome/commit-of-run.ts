/** Which commit a verdict may be about: the one that stood in the checkout when the run began. */
import type { Rows } from '../database/database.ts';

/** As the rows have it by now: what was announced since the lease is in it. */
export async function commitOfRun(rows: Rows, dispatchId: string): Promise<string | null> {
  const row = await rows
    .selectFrom('dispatches')
    .select('commit_sha')
    .where('id', '=', dispatchId)
    .executeTakeFirst();
  return row?.commit_sha ?? null;
}
