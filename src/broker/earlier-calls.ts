/** What the effects of one dispatch say about its calls, in all of its attempts. */
import type { EffectRow } from '../database/tables.ts';
import type { EffectDeps } from '../outcome/effects.ts';

type Asked = Pick<EffectRow, 'kind'> & { request: Record<string, unknown> };

/** Oldest first. A run makes a bounded number of writes, so that all are read at once. */
export async function callsOf(
  { database }: Pick<EffectDeps, 'database'>,
  dispatchId: string,
): Promise<EffectRow[]> {
  return await database.rows
    .selectFrom('effects')
    .selectAll()
    .where('dispatch_id', '=', dispatchId)
    .where('kind', 'like', 'tool:%')
    .orderBy('seq')
    .execute();
}

/** The same call under another id, unless the forge refused it: that one may be tried again. */
export function earlierCall(calls: readonly EffectRow[], asked: Asked): EffectRow | null {
  const request = JSON.stringify(asked.request);
  const isSame = (row: EffectRow) =>
    row.kind === asked.kind && row.request === request && row.state !== 'refused';
  return calls.find(isSame) ?? null;
}
