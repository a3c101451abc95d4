/** Timers: an agent's wish to be woken later in its conversation. A timer that is due becomes a message (`own-events.ts`). */
import { randomUUID } from 'node:crypto';
import type { Database, Rows } from '../database/database.ts';
import type { TimerRow } from '../database/tables.ts';
import { assertLease, type Lease } from './leases.ts';

export interface TimerLimits {
  /** of one conversation, that wait at once */
  most: number;
  shortestMs: number;
  longestMs: number;
}

export interface NewTimer {
  reason: string;
  dueAt: number;
  /** names the call, so that the same one again sets no second timer */
  call: string;
  limits: TimerLimits;
  now: number;
}

export type TimerSet = { kind: 'set'; dueAt: number } | { kind: 'refused'; why: string };

export async function setTimer(database: Database, lease: Lease, timer: NewTimer): Promise<TimerSet> {
  const { limits, now } = timer;
  return await database.transaction(async (tx) => {
    // Holds the conversation's row, so that two calls at once cannot both be the last that is allowed.
    await assertLease(tx, lease);
    const { id } = lease.conversation;
    const known = await tx
      .selectFrom('timers')
      .select('due_at')
      .where('conversation_id', '=', id)
      .where('tool_use_id', '=', timer.call)
      .executeTakeFirst();
    if (known !== undefined) return { kind: 'set', dueAt: known.due_at };
    const waiting = await timersOf(tx, { conversationId: id });
    const refusal = whyNot(timer, waiting.length, limits);
    // guard: timers: capped
    if (refusal !== null) return { kind: 'refused', why: refusal };
    await tx
      .insertInto('timers')
      .values({
        id: randomUUID(),
        conversation_id: id,
        dispatch_id: lease.dispatch.id,
        tool_use_id: timer.call,
        reason: timer.reason,
        state: 'waiting',
        due_at: timer.dueAt,
        created_at: now,
        ended_at: null,
        ended_by: null,
      })
      .execute();
    return { kind: 'set', dueAt: timer.dueAt };
  });
}

function whyNot({ dueAt, now }: NewTimer, waiting: number, limits: TimerLimits): string | null {
  const delay = dueAt - now;
  if (!(delay >= limits.shortestMs && delay <= limits.longestMs)) {
    return `A timer may be due in ${limits.shortestMs / 1000} to ${limits.longestMs / 1000} seconds from now. Choose such a time.`;
  }
  if (waiting >= limits.most) {
    return `${waiting} timers of this conversation wait already, and no more are allowed. Do without, or say in your answer what is to be looked at later.`;
  }
  return null;
}

export async function timersOf(rows: Rows, which: { conversationId?: string } = {}): Promise<TimerRow[]> {
  const waiting = rows.selectFrom('timers').selectAll().where('state', '=', 'waiting').orderBy('due_at');
  const { conversationId } = which;
  return await (conversationId === undefined
    ? waiting
    : waiting.where('conversation_id', '=', conversationId)
  ).execute();
}

/** Answers those that were cancelled. */
export async function cancelTimers(
  rows: Rows,
  { ids, by, now }: { ids: readonly string[]; by: string; now: number },
): Promise<string[]> {
  if (ids.length === 0) return [];
  const cancelled = await rows
    .updateTable('timers')
    .set({ state: 'cancelled', ended_at: now, ended_by: by })
    .where('id', 'in', ids)
    .where('state', '=', 'waiting')
    .returning('id')
    .execute();
  return cancelled.map(({ id }) => id);
}

/** The oldest timer that is due, which counts as told from now on; undefined when there is none. Call it in a transaction. */
export async function takeDueTimer(tx: Rows, now: number): Promise<TimerRow | undefined> {
  const due = await tx
    .selectFrom('timers')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst();
  if (due === undefined) return undefined;
  return await tx
    .updateTable('timers')
    .set({ state: 'due', ended_at: now })
    .where('id', '=', due.id)
    .where('state', '=', 'waiting')
    .returningAll()
    .executeTakeFirst();
}

export async function nextTimerAt(rows: Rows): Promise<number | null> {
  const { due } = await rows
    .selectFrom('timers')
    .select((e) => e.fn.min('due_at').as('due'))
    .where('state', '=', 'waiting')
    .executeTakeFirstOrThrow();
  return due === null ? null : Number(due);
}
