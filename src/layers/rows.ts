/** The rows of layers: what was built for whom, what failed and why, and when it was last used. */
import type { Database, Rows } from '../database/database.ts';
import type { LayerRow } from '../database/tables.ts';
import type { Wanted } from './recipe.ts';

/** Names a layer: each state folder has its own. */
export interface LayerName {
  place: string;
  key: string;
}

export interface LayerAbout {
  repository: { forge: string; id: string; fullName: string };
  engine: string;
  image: string | null;
  recipe: Extract<Wanted, { kind: 'recipe' }>['recipe'];
}

export async function readLayer(rows: Rows, { place, key }: LayerName): Promise<LayerRow | null> {
  const row = await rows
    .selectFrom('layers')
    .selectAll()
    .where('place', '=', place)
    .where('key', '=', key)
    .executeTakeFirst();
  return row ?? null;
}

export async function noteBuilding(
  database: Database,
  name: LayerName,
  of: { about: LayerAbout; dispatch: string; now: number },
): Promise<void> {
  const { repository, engine, image, recipe } = of.about;
  const began = { state: 'building' as const, made_by: of.dispatch, created_at: of.now, ended_at: null };
  await database.rows
    .insertInto('layers')
    .values({
      ...name,
      forge: repository.forge,
      repository_id: repository.id,
      repository_name: repository.fullName,
      engine,
      image,
      recipe: JSON.stringify(recipe),
      ...began,
      used_at: null,
      bytes: 0,
      failures: 0,
      retry_at: null,
      reason: null,
      log_end: null,
    })
    .onConflict((c) => c.columns(['place', 'key']).doUpdateSet(began))
    .execute();
}

export async function noteReady(
  rows: Rows,
  { place, key }: LayerName,
  of: { bytes: number; logEnd: string | null; now: number },
): Promise<void> {
  await rows
    .updateTable('layers')
    .set({
      ...{ state: 'ready', bytes: of.bytes, ended_at: of.now, used_at: of.now },
      ...{ failures: 0, retry_at: null, reason: null, log_end: of.logEnd },
    })
    .where('place', '=', place)
    .where('key', '=', key)
    .execute();
}

export async function noteUsed(rows: Rows, { place, key }: LayerName, now: number): Promise<void> {
  await rows
    .updateTable('layers')
    .set({ used_at: now })
    .where('place', '=', place)
    .where('key', '=', key)
    .execute();
}

const FIRST_WAIT_MS = 10 * 60_000;
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** Ten minutes after the first failure, then three times as long each time, a day at most. */
export function waitAfter(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 3 ** Math.max(0, failures - 1));
}

export async function noteFailed(
  rows: Rows,
  { place, key }: LayerName,
  of: { failures: number; reason: string; logEnd: string; now: number },
): Promise<void> {
  await rows
    .updateTable('layers')
    .set({
      ...{ state: 'failed', ended_at: of.now, bytes: 0, failures: of.failures },
      ...{ reason: of.reason, log_end: of.logEnd, retry_at: of.now + waitAfter(of.failures) },
    })
    .where('place', '=', place)
    .where('key', '=', key)
    .execute();
}

/** What an earlier service was building: nobody is at it any more, and nothing of it is used. */
export async function forgetBuilding(rows: Rows, place: string, now: number): Promise<void> {
  await rows
    .updateTable('layers')
    .set({ state: 'failed', reason: 'the service stopped while it was built', ended_at: now, retry_at: now })
    .where('place', '=', place)
    .where('state', '=', 'building')
    .execute();
}

export async function noteStopped(rows: Rows, { place, key }: LayerName, now: number): Promise<void> {
  await rows
    .updateTable('layers')
    .set({
      state: 'failed',
      reason: 'its dispatch was stopped while it was built',
      ended_at: now,
      retry_at: now,
    })
    .where('place', '=', place)
    .where('key', '=', key)
    .execute();
}
