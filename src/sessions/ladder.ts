/** The resume ladder: a session for the next run, whatever became of the last one. */
import type { Database } from '../database/database.ts';
import { apply, type PreparedSession } from './apply.ts';
import { choose } from './choose.ts';
import type { LadderRequest } from './ladder-request.ts';
import { survey } from './survey.ts';

export async function prepareSession(database: Database, request: LadderRequest): Promise<PreparedSession> {
  const found = await survey(database.rows, { ...request, configFolder: request.folders.config });
  const choice = choose(found, request);
  return await apply(database, request, { found, choice });
}
