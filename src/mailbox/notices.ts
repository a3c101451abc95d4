/**
 * Notices: what the forge is to show of our work while it goes on. A notice is a row before it is an act, as an effect is;
 * unlike an effect it may change, so its row has what is wanted and what the forge has confirmed. Whoever plans one writes
 * `wanted` alone; `src/feedback` makes the forge show it.
 */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { NoticeRow } from '../database/feedback-tables.ts';

/** What a reaction or a status is put on; a comment is put on the item. */
export type NoticeTarget =
  | { on: 'item' }
  | { on: 'comment'; commentId: number }
  | { on: 'commit'; sha: string; context: string };

/** Of a commit status, as JSON in `wanted`. */
export interface StatusShown {
  state: 'pending' | 'success' | 'error';
  description: string;
}

export interface NoticePlace {
  forge: string;
  repository: { id: string; fullName: string };
  /** of the item */
  number: number;
}

export interface PlannedNotice extends NoticePlace {
  key: string;
  kind: NoticeRow['kind'];
  agent: string;
  target: NoticeTarget;
  dispatchId: string | null;
  wanted: string | null;
  /** nothing will change it any more */
  closed: boolean;
  /** it is only noted that there is nothing to show */
  isSkipped?: boolean;
}

/** Plans it, or changes what is wanted of it. One that the forge refused, or a person removed, stays as it is. */
export async function planNotice(rows: Rows, notice: PlannedNotice, now: number): Promise<void> {
  // What never was, and is not wanted, needs no row.
  if (notice.wanted === null && (await findNotice(rows, notice.key)) === undefined) return;
  await rows
    .insertInto('notices')
    .values({
      id: randomUUID(),
      key: notice.key,
      kind: notice.kind,
      forge: notice.forge,
      repository_id: notice.repository.id,
      repository_name: notice.repository.fullName,
      agent: notice.agent,
      number: notice.number,
      target: JSON.stringify(notice.target),
      dispatch_id: notice.dispatchId,
      wanted: notice.wanted,
      state: notice.isSkipped === true ? 'gone' : 'planned',
      closed: notice.closed ? 1 : 0,
      attempts: 0,
      due_at: now,
      created_at: now,
      changed_at: now,
    })
    .onConflict((c) =>
      c.column('key').doUpdateSet((e) => ({
        wanted: notice.wanted,
        closed: notice.closed ? 1 : 0,
        dispatch_id: notice.dispatchId,
        repository_name: notice.repository.fullName,
        // What the forge refused, or a person removed, is not brought back.
        state: e
          .case()
          .when('notices.state', 'in', ['refused', 'gone'])
          .then(e.ref('notices.state'))
          .else('planned' as const)
          .end(),
        changed_at: now,
        // One that is being tried, or has to wait, keeps its time: two tries at once could both post.
        due_at: e.case().when('notices.attempts', '=', 0).then(now).else(e.ref('notices.due_at')).end(),
      })),
    )
    .execute();
}

async function findNotice(rows: Rows, key: string): Promise<{ id: string } | undefined> {
  return await rows.selectFrom('notices').select('id').where('key', '=', key).executeTakeFirst();
}

/** Those that were planned for one repository and kind of key since then. */
export async function countNotices(
  rows: Rows,
  {
    forge,
    repositoryId,
    prefix,
    since,
  }: { forge: string; repositoryId: string; prefix: string; since: number },
): Promise<number> {
  const { count } = await rows
    .selectFrom('notices')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('forge', '=', forge)
    .where('repository_id', '=', repositoryId)
    .where('key', 'like', `${prefix}%`)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function noticesOf(rows: Rows, dispatchIds: readonly string[]): Promise<NoticeRow[]> {
  if (dispatchIds.length === 0) return [];
  return await rows.selectFrom('notices').selectAll().where('dispatch_id', 'in', dispatchIds).execute();
}

/** Those whose turn it is, reactions first: they are what people wait for. */
export async function dueNotices(
  rows: Rows,
  { now, limit }: { now: number; limit: number },
): Promise<NoticeRow[]> {
  return await rows
    .selectFrom('notices')
    .selectAll()
    .where('state', '=', 'planned')
    .where('due_at', '<=', now)
    .orderBy((e) => e.case().when('kind', '=', 'reaction').then(0).else(1).end())
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** When the next one is due that waits for its time; null = none does. */
export async function nextNotice(rows: Rows): Promise<number | null> {
  const row = await rows
    .selectFrom('notices')
    .select((e) => e.fn.min('due_at').as('due'))
    .where('state', '=', 'planned')
    .executeTakeFirst();
  return row?.due == null ? null : Number(row.due);
}

/**
 * Counts the attempt before it is made, so that one that crashes is counted. Null when another process was faster.
 * Until `until` nobody else tries it.
 */
export async function claimNotice(rows: Rows, notice: NoticeRow, until: number): Promise<NoticeRow | null> {
  const claimed = await rows
    .updateTable('notices')
    .set({ attempts: notice.attempts + 1, due_at: until })
    .where('id', '=', notice.id)
    .where('attempts', '=', notice.attempts)
    .where('due_at', '=', notice.due_at)
    .where('state', '=', 'planned')
    .returningAll()
    .executeTakeFirst();
  return claimed ?? null;
}

/** The claim is prolonged before a second call to the forge. False when somebody else has it by now. */
export async function keepClaim(rows: Rows, claimed: NoticeRow, until: number): Promise<boolean> {
  const { numUpdatedRows } = await rows
    .updateTable('notices')
    .set({ due_at: until })
    .where('id', '=', claimed.id)
    .where('attempts', '=', claimed.attempts)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** For a start that knows of no other process on these rows: what a dead one was trying is tried again now. */
export async function releaseClaims(rows: Rows, now: number): Promise<void> {
  await rows
    .updateTable('notices')
    .set({ due_at: now })
    .where('state', '=', 'planned')
    .where('due_at', '>', now)
    .execute();
}

export type NoticeEnd =
  | { kind: 'shown'; remoteId: number | null }
  | { kind: 'gone' }
  | { kind: 'refused'; reason: string }
  /** tried again then */
  | { kind: 'later'; at: number; reason: string };

/** What came of an attempt. What is wanted may have changed since it was claimed: then it is due again at once. */
export async function settleNotice(
  rows: Rows,
  claimed: NoticeRow,
  end: NoticeEnd,
  now: number,
): Promise<void> {
  // Whoever took the claim over settles it.
  const query = rows
    .updateTable('notices')
    .where('id', '=', claimed.id)
    .where('attempts', '=', claimed.attempts);
  switch (end.kind) {
    case 'later':
      await query.set({ due_at: end.at, reason: end.reason }).execute();
      return;
    case 'refused':
      await query.set({ state: 'refused', reason: end.reason, closed: 1 }).execute();
      return;
    case 'gone':
      await query.set({ state: 'gone', shown: null, reason: null, closed: 1 }).execute();
      return;
    case 'shown':
      await query
        .set((e) => ({
          shown: claimed.wanted,
          remote_id: end.remoteId,
          attempts: 0,
          reason: null,
          due_at: now,
          state: e
            .case()
            .when('wanted', '=', claimed.wanted!)
            .then('shown' as const)
            .else('planned' as const)
            .end(),
        }))
        .execute();
  }
}
