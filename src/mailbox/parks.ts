/**
 * Parks: a usage limit, an overload or a refused key is not a dispatch's failure. Everything that uses the credential
 * waits until the reset; deliveries are still taken in, and order is kept.
 */
import type { Rows } from '../database/database.ts';

export interface Park {
  /** `model`: the whole credential; `model:<family or name>`: one model of it */
  credential: string;
  until: number;
  why: string;
  now: number;
}

const CREDENTIAL = 'model';

export function parkName(model: string | null): string {
  return model === null ? CREDENTIAL : `${CREDENTIAL}:${model}`;
}

/** For people. */
export function describePark(credential: string): string {
  const model = credential.slice(CREDENTIAL.length + 1);
  return model === '' ? 'model credential' : `model ${model}`;
}

/**
 * A family covers every model whose name contains its word: `opus` covers `claude-opus-4-5` and `opus[1m]`.
 */
export function holds(park: Pick<Park, 'credential'>, model: string | null): boolean {
  // guard: a limit of one model
  if (park.credential === CREDENTIAL || model === null) return park.credential === CREDENTIAL;
  const held = park.credential.slice(CREDENTIAL.length + 1).toLowerCase();
  return /^[a-z]+$/.test(held) ? model.toLowerCase().includes(held) : model.toLowerCase() === held;
}

/** The longer park wins: a run that began before a usage limit may end after it, with a shorter park. */
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
