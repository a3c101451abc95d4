/**
 * Effects: what the service does to the forge on an agent's behalf, each once. An effect is a row before it is an act;
 * one that may have been done already is looked for on the forge before it is done again.
 */
import { randomUUID } from 'node:crypto';
import type { Database, Rows } from '../database/database.ts';
import type { EffectRow } from '../database/tables.ts';
import { ForgeMissing, ForgeRefused, GitFailed } from '../errors.ts';
import { faultPoint } from '../faults.ts';
import type { DispatchKey } from '../vocabulary.ts';

export interface Effect<R> extends DispatchKey {
  kind: EffectRow['kind'];
  /** which of several effects of this kind: the model's own id of the tool call; left out, there is one a dispatch */
  id?: string;
  /** what is to be done, for the audit; under an `id` it may not change */
  request: Record<string, unknown>;
  /** its row, where the caller has planned it in a transaction of its own under the lease */
  planned?: EffectRow | null;
  /** looks for the effect of an earlier attempt; not called on the first */
  find: () => Promise<R | null>;
  /** does it; ForgeUnavailable and transient GitFailed leave the effect planned, to be tried again */
  perform: () => Promise<R>;
}

export const FORGED =
  'This call was made before, with another input. Make a new call instead of repeating one.';

export type EffectOutcome<R> =
  | { kind: 'done'; result: R }
  /** `reason`: for the rows, the log and the agent; `error`: what it was, null where an earlier attempt met it */
  | { kind: 'refused'; reason: string; error: Error | null };

/** The idempotency key, and what marks our comments: `what` is an effect's kind, or the id of one tool call. */
export function effectKey(dispatchId: string, what: string): string {
  return `${dispatchId}:${what}`;
}

/** Hidden in everything we write, so that it can be found again. */
export function marker(key: string): string {
  return `<!-- claude-hooks ${key} -->`;
}

export interface EffectDeps {
  database: Database;
  now: () => number;
  /** throws LeaseLost when this worker may no longer act; runs in the transaction that counts the attempt */
  assertMine: (tx: Rows) => Promise<void>;
}

export async function once<R>(deps: EffectDeps, effect: Effect<R>): Promise<EffectOutcome<R>> {
  // guard: tool call key
  const key = effectKey(effect.dispatchId, effect.id ?? effect.kind);
  const row = effect.planned ?? (await plan(deps, effect));
  if (isForged(row, effect)) return { kind: 'refused', reason: FORGED, error: null };
  // guard: effect done once
  if (row.state === 'done') return { kind: 'done', result: JSON.parse(row.result!) as R };
  if (row.state === 'refused')
    return { kind: 'refused', reason: JSON.parse(row.result!) as string, error: null };
  const settle = async (state: 'done' | 'refused', result: unknown): Promise<void> => {
    await deps.database.rows
      .updateTable('effects')
      .set({ state, result: JSON.stringify(result), done_at: deps.now() })
      .where('key', '=', key)
      .execute();
  };
  try {
    faultPoint('effect.planned');
    // guard: effect looked for before it is repeated
    // guard: effect looked for (whole service)
    const earlier = row.attempts > 1 ? await effect.find() : null;
    const result = earlier ?? (await effect.perform());
    faultPoint('effect.performed');
    await settle('done', result);
    faultPoint('effect.recorded');
    return { kind: 'done', result };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await settle('refused', error.message);
    return { kind: 'refused', reason: error.message, error };
  }
}

/** One id belongs to one call: the same id with another kind or input is a forged repetition. */
export function isForged(
  row: Pick<EffectRow, 'kind' | 'request'>,
  effect: Pick<Effect<unknown>, 'id' | 'kind' | 'request'>,
): boolean {
  if (row.kind !== effect.kind) return true;
  // guard: forged replay
  return effect.id !== undefined && row.request !== JSON.stringify(effect.request);
}

/** What the last such effect of an earlier dispatch of this conversation came to; null when there was none. */
export async function lastResult<R>(
  deps: EffectDeps,
  now: DispatchKey,
  kind: EffectRow['kind'],
): Promise<R | null> {
  const earlier = await deps.database.rows
    .selectFrom('effects')
    .select('result')
    .where('conversation_id', '=', now.conversationId)
    .where('dispatch_id', '!=', now.dispatchId)
    .where('kind', '=', kind)
    .where('state', '=', 'done')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return earlier === undefined ? null : (JSON.parse(earlier.result!) as R);
}

/** Whether an attempt before this one got as far as planning it. */
export async function wasBegun(deps: EffectDeps, key: string): Promise<boolean> {
  const row = await deps.database.rows
    .selectFrom('effects')
    .select('id')
    .where('key', '=', key)
    .executeTakeFirst();
  return row !== undefined;
}

/** The forge or git refused for good. Any other error may not happen when it is tried again. */
function isRefusal(error: unknown): error is Error {
  return (
    error instanceof ForgeRefused ||
    error instanceof ForgeMissing ||
    (error instanceof GitFailed && !error.transient)
  );
}

async function plan(deps: EffectDeps, effect: PlannedEffect): Promise<EffectRow> {
  return await deps.database.transaction(async (tx) => {
    await deps.assertMine(tx);
    return await planEffect(tx, effect, deps.now());
  });
}

export type PlannedEffect = DispatchKey & Pick<Effect<unknown>, 'kind' | 'id' | 'request'>;

/** Counts the attempt before it is made, so that one that crashes is counted. Call it under the lease. */
export async function planEffect(tx: Rows, effect: PlannedEffect, now: number): Promise<EffectRow> {
  return await tx
    .insertInto('effects')
    .values({
      id: randomUUID(),
      dispatch_id: effect.dispatchId,
      conversation_id: effect.conversationId,
      key: effectKey(effect.dispatchId, effect.id ?? effect.kind),
      kind: effect.kind,
      state: 'planned',
      request: JSON.stringify(effect.request),
      attempts: 1,
      created_at: now,
    })
    .onConflict((c) => c.column('key').doUpdateSet((e) => ({ attempts: e('effects.attempts', '+', 1) })))
    .returningAll()
    .executeTakeFirstOrThrow();
}
