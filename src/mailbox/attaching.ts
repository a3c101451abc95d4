/**
 * A person takes a conversation's lease for the session's own terminal. For that time there is a dispatch that carries no
 * messages, so that the ledger, the record and the audit know whose it is; what arrives waits. However it ends, it is
 * never begun again: there is no prompt to begin with.
 */
import { randomUUID } from 'node:crypto';
import { type Database, type Rows, serialise } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';
import { assertLease, LEASING_LOCK, type Lease } from './leases.ts';
import { takeAway } from './settlement.ts';

export interface AttachRequest {
  conversationId: string;
  /** unique among all holders of leases that ever were */
  worker: string;
  /** who sits at the terminal */
  by: string;
  now: number;
  leaseMs: number;
}

export type AttachAnswer =
  | { kind: 'leased'; lease: Lease }
  /** somebody has the lease, or had it a moment ago */
  | { kind: 'running'; dispatch: Pick<DispatchRow, 'id' | 'agent' | 'started_at' | 'attached_by'> };

export async function leaseForAttach(database: Database, request: AttachRequest): Promise<AttachAnswer> {
  const { conversationId, worker, by, now, leaseMs } = request;
  return await database.transaction(async (tx) => {
    await serialise(database.dialect, tx, LEASING_LOCK);
    const running = await tx
      .selectFrom('dispatches')
      .select(['id', 'agent', 'started_at', 'attached_by'])
      .where('conversation_id', '=', conversationId)
      .where('state', '=', 'running')
      .executeTakeFirst();
    // guard: attach: not beside a run
    if (running !== undefined) return { kind: 'running', dispatch: running };
    const conversation = await tx
      .updateTable('conversations')
      .set((e) => ({
        lease_worker: worker,
        lease_token: e('lease_token', '+', 1),
        lease_until: now + leaseMs,
      }))
      .where('id', '=', conversationId)
      .returningAll()
      .executeTakeFirstOrThrow();
    const dispatch = await tx
      .insertInto('dispatches')
      .values({
        id: randomUUID(),
        conversation_id: conversationId,
        agent: conversation.agent,
        state: 'running',
        priority: 0,
        created_at: now,
        due_at: now,
        attempt: 1,
        worker,
        started_at: now,
        carried: '[]',
        attached_by: by,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return {
      kind: 'leased',
      lease: {
        worker,
        token: conversation.lease_token,
        conversation,
        dispatch,
        messages: [],
        previous: null,
      },
    };
  });
}

/** Ends it and frees the conversation, in one transaction with `also`. Throws LeaseLost. */
export async function endAttached(
  database: Database,
  lease: Lease,
  end: { reason: string; turns: number; now: number; also?: (tx: Rows) => Promise<void> },
): Promise<void> {
  await database.transaction(async (tx) => {
    await assertLease(tx, lease, { lease_worker: null, lease_until: 0, updated_at: end.now });
    await tx
      .updateTable('dispatches')
      .set({ state: 'cancelled', reason: end.reason, turns: end.turns, ended_at: end.now })
      .where('id', '=', lease.dispatch.id)
      .where('state', '=', 'running')
      .execute();
    await end.also?.(tx);
  });
}

/** Attached dispatches whose terminal does not renew its lease any more: the process is gone, or the machine sleeps. */
export async function leftAttached(
  rows: Rows,
  now: number,
): Promise<(DispatchRow & { lease_token: number; lease_until: number })[]> {
  return await rows
    .selectFrom('dispatches as d')
    .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
    .selectAll('d')
    .select(['c.lease_token', 'c.lease_until'])
    .where('d.state', '=', 'running')
    .where('d.attached_by', 'is not', null)
    .where('c.lease_until', '<=', now)
    .execute();
}

/** Ends one of those, after its processes are gone. False: it was renewed or ended meanwhile. */
export async function endLeft(
  database: Database,
  left: DispatchRow & { lease_token: number; lease_until: number },
  now: number,
): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const dispatch = await takeAway(tx, left);
    if (dispatch === undefined) return false;
    await tx
      .updateTable('dispatches')
      .set({ state: 'cancelled', reason: TERMINAL_GONE, ended_at: now })
      .where('id', '=', dispatch.id)
      .execute();
    return true;
  });
}

const TERMINAL_GONE = 'the terminal was gone: its lease was not renewed';

export interface AttachedBefore {
  by: string;
  /** unix ms */
  from: number;
  to: number;
}

/** Who was at the terminal since the last run of the agent began, oldest first. */
export async function attachedSince(
  rows: Rows,
  { id, conversation_id: conversationId }: Pick<DispatchRow, 'id' | 'conversation_id'>,
): Promise<AttachedBefore[]> {
  const last = await rows
    .selectFrom('dispatches')
    .select('started_at')
    .where('conversation_id', '=', conversationId)
    .where('id', '!=', id)
    .where('attached_by', 'is', null)
    .where('session_id', 'is not', null)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const found = await rows
    .selectFrom('dispatches')
    .select(['attached_by', 'started_at', 'ended_at'])
    .where('conversation_id', '=', conversationId)
    .where('attached_by', 'is not', null)
    .where('session_id', 'is not', null)
    .where('ended_at', 'is not', null)
    .where('started_at', '>', last?.started_at ?? 0)
    .orderBy('started_at')
    .execute();
  return found.map((row) => ({
    by: row.attached_by!,
    from: Number(row.started_at),
    to: Number(row.ended_at),
  }));
}
