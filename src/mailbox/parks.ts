/**
 * Parks: a usage limit, an overload or a refused key is no failure of a dispatch. Everything on that credential waits
 * until the reset; intake goes on and order is kept.
 */
import type { Rows } from '../database/database.ts';

export interface Park {
  credential: string;
  until: number;
  why: string;
  now: number;
}

/** The longer park wins: a run that began before a usage limit may end after it, with a smaller trouble. */
export async function parkCredential(rows: Rows, park: Park): Promise<void> {
  await rows
    .insertInto('parks')
    .values({ credential: park.credential, until: park.until, why: park.why, at: park.now })
    .onConflict((c) =>
      c
        .column('credential')
        .doUpdateSet({ until: park.until, why: park.why, at: park.now })
        .where('parks.until', '<', park.until),
    )
    .execute();
}

export async function currentParks(rows: Rows, now: number): Promise<Park[]> {
  const parks = await rows.selectFrom('parks').selectAll().where('until', '>', now).execute();
  return parks.map((p) => ({ credential: p.credential, until: p.until, why: p.why, now: p.at }));
}
