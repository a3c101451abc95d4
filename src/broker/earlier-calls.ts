/** What the effects of one dispatch say about its calls. */
import type { EffectRow } from '../database/tables.ts';
import type { EffectDeps } from '../outcome/effects.ts';

type Rows = Pick<EffectDeps, 'database'>;
type Asked = Pick<EffectRow, 'kind'> & { request: Record<string, unknown> };

export async function storedCall({ database }: Rows, key: string): Promise<EffectRow | null> {
  const row = await database.rows.selectFrom('effects').selectAll().where('key', '=', key).executeTakeFirst();
  return row ?? null;
}

/** The same call under another id, unless the forge refused it: that one may be tried again. */
export async function earlierCall(
  { database }: Rows,
  dispatchId: string,
  asked: Asked,
): Promise<EffectRow | null> {
  const row = await database.rows
    .selectFrom('effects')
    .selectAll()
    .where('dispatch_id', '=', dispatchId)
    .where('kind', '=', asked.kind)
    .where('request', '=', JSON.stringify(asked.request))
    .where('state', '!=', 'refused')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** Writes by tools in this dispatch, in all of its attempts. */
export async function countWrites({ database }: Rows, dispatchId: string): Promise<number> {
  const row = await database.rows
    .selectFrom('effects')
    .select((e) => e.fn.countAll<number | string>().as('writes'))
    .where('dispatch_id', '=', dispatchId)
    .where('kind', 'like', 'tool:%')
    .executeTakeFirstOrThrow();
  return Number(row.writes);
}
