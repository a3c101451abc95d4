/** How a dispatch ends or waits, and what happens to the messages it carried. */
import type { Database, Rows } from '../database/database.ts';
import type { DispatchRow } from '../database/tables.ts';
import { closeAsks, openAsk } from './asks.ts';
import { assertLease, type Lease } from './leases.ts';
import { noteAsked, noteProgress } from './progress.ts';

export type Settlement =
  | { state: 'succeeded' }
  /** answered, but the forge refused the answer: it is kept, and posted when a person asks for it */
  | { state: 'unposted'; reason: string }
  /** `reason` says why the messages get no answer; a person is told on the item */
  | { state: 'failed'; reason: string }
  | { state: 'cancelled'; reason: string }
  | Parked
  | { state: 'interrupted'; reason: string };

/** Waits until a limit is over, or until the forge is back. Its messages keep their order. */
export interface Parked {
  state: 'parked';
  reason: string;
  until: number;
  /** it is counted */
  isTrouble?: boolean;
  /** nothing was tried, because it was too early */
  isAttempt?: false;
  /** the hold that it waits for */
  holdId?: string;
}

export interface SettleOptions {
  settlement: Settlement;
  now: number;
  /** JSON Snapshot of what the agent has seen; stored only when it has answered */
  seen?: string | null;
  /** messages that arrived in the mailbox but were not in the answered prompt; they stay waiting */
  unanswered?: string[];
  /** whether what its skill promised was found, and whether a person was asked; null = it promised nothing */
  progress?: { made: boolean; asked: boolean } | null;
}

/** Settles a running dispatch and frees its conversation, in one transaction. */
export async function settleDispatch(
  database: Database,
  lease: Lease,
  options: SettleOptions,
): Promise<void> {
  await database.transaction(async (tx) => {
    await assertLease(tx, lease, {
      lease_worker: null,
      lease_until: 0,
      updated_at: options.now,
      ...(hasAnswered(options.settlement) && options.seen != null ? { seen: options.seen } : {}),
    });
    await settle(tx, lease.dispatch, options);
    // guard: progress: counted with the settlement
    if (options.progress != null) await settleProgress(tx, lease.dispatch, options.progress, options.now);
    await settleAsks(tx, lease, options);
    await mergeEmpty(tx, lease.dispatch, options.now);
  });
}

async function settleProgress(
  tx: Rows,
  { id, conversation_id: conversation }: DispatchRow,
  { made, asked }: { made: boolean; asked: boolean },
  now: number,
): Promise<void> {
  await noteProgress(tx, conversation, made, now);
  if (asked) await noteAsked(tx, conversation, now);
  await tx
    .updateTable('dispatches')
    .set({ progress: made ? 'made' : 'none' })
    .where('id', '=', id)
    .execute();
}

/** What ends without an answer waits for a person; an answer ends what waited because there was none. */
// guard: inbox: a failure waits for a person
async function settleAsks(
  tx: Rows,
  lease: Lease,
  { settlement, progress = null, now }: SettleOptions,
): Promise<void> {
  const { conversation, dispatch } = lease;
  const ask = { conversation, dispatchId: dispatch.id, now };
  if (settlement.state === 'failed' || settlement.state === 'unposted') {
    const kind = settlement.state;
    await openAsk(tx, { ...ask, key: `${kind}:${dispatch.id}`, kind, text: settlement.reason });
  } else if (settlement.state === 'succeeded') {
    const isStuck = progress?.made === false;
    const kinds = isStuck ? (['failed', 'unposted'] as const) : (['failed', 'unposted', 'stuck'] as const);
    await closeAsks(tx, { conversationId: conversation.id, kinds, by: conversation.agent, now });
  }
  // guard: inbox: a conversation without progress waits for a person
  if (progress?.asked) await openAsk(tx, { ...ask, key: `stuck:${dispatch.id}`, kind: 'stuck', text: STUCK });
}

const STUCK = 'two runs in a row left nothing of what they were for; the question is in the thread';

/** Counts also when the answer could not be posted: the agent has read what it was woken for. */
function hasAnswered({ state }: Settlement): boolean {
  return state === 'succeeded' || state === 'unposted';
}

async function settle(tx: Rows, dispatch: DispatchRow, options: SettleOptions): Promise<void> {
  const { settlement, now } = options;
  if (settlement.state === 'parked' || settlement.state === 'interrupted') {
    await putBack(tx, dispatch, { ...options, settlement });
    return;
  }
  await tx
    .updateTable('dispatches')
    .set({
      state: settlement.state,
      reason: 'reason' in settlement ? settlement.reason : null,
      ended_at: now,
    })
    .where('id', '=', dispatch.id)
    .where('state', '=', 'running')
    .execute();
  await settleMessages(tx, dispatch, options);
}

async function settleMessages(tx: Rows, dispatch: DispatchRow, options: SettleOptions): Promise<void> {
  const { settlement, now } = options;
  const unanswered = options.unanswered ?? [];
  if (unanswered.length > 0) {
    await tx
      .updateTable('messages')
      .set({ state: 'waiting', dispatch_id: null, handed_as: null, delivered_at: null })
      .where('conversation_id', '=', dispatch.conversation_id)
      .where('dispatch_id', '=', dispatch.id)
      .where('id', 'in', unanswered)
      .execute();
    await requeueWaiting(tx, dispatch, now);
  }
  const answered = settlement.state === 'succeeded';
  await tx
    .updateTable('messages')
    .set({
      state: answered ? 'answered' : 'declined',
      reason: 'reason' in settlement ? settlement.reason : null,
      settled_at: now,
    })
    // The index over waiting messages begins with the conversation; without this condition all messages were read.
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('dispatch_id', '=', dispatch.id)
    .where('state', '=', 'carried')
    .execute();
}

/** Messages that were handed to the run had a dispatch to come, which has nothing to do now. */
async function mergeEmpty(tx: Rows, dispatch: DispatchRow, now: number): Promise<void> {
  await tx
    .updateTable('dispatches')
    .set({ state: 'cancelled', reason: `merged into dispatch ${dispatch.id}`, ended_at: now })
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('state', '=', 'queued')
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('messages')
          .select('id')
          .where('dispatch_id', '=', dispatch.id)
          .where('handed_as', 'is not', null),
      ),
    )
    // guard: steering: no dispatch without a message
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('messages')
            .select('id')
            .where('conversation_id', '=', dispatch.conversation_id)
            .where('state', '=', 'waiting'),
        ),
      ),
    )
    .execute();
}

/** Messages that stay waiting need a dispatch. The index allows at most one. */
export async function requeueWaiting(
  tx: Rows,
  dispatch: Pick<DispatchRow, 'conversation_id' | 'agent' | 'priority'>,
  now: number,
): Promise<void> {
  const waiting = await tx
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('state', 'in', ['queued', 'parked', 'interrupted'])
    .executeTakeFirst();
  if (waiting !== undefined) return;
  await tx
    .insertInto('dispatches')
    .values({
      id: crypto.randomUUID(),
      conversation_id: dispatch.conversation_id,
      agent: dispatch.agent,
      state: 'queued',
      priority: dispatch.priority,
      created_at: now,
      due_at: now,
      attempt: 0,
      carried: '[]',
    })
    .execute();
}

/**
 * A dispatch that could not answer gives its messages back and waits itself. If newer messages have already made a
 * dispatch for this conversation, that one is merged into the older one, which keeps its id and the effects recorded
 * under it.
 */
async function putBack(
  tx: Rows,
  dispatch: DispatchRow,
  options: SettleOptions & {
    settlement: {
      state: 'parked' | 'interrupted';
      reason: string;
      until?: number;
      isTrouble?: boolean;
      isAttempt?: false;
      holdId?: string;
    };
  },
): Promise<void> {
  const { settlement, now } = options;
  const newer = await tx
    .updateTable('dispatches')
    .set({ state: 'cancelled', reason: `merged into dispatch ${dispatch.id}`, ended_at: now })
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('state', 'in', ['queued', 'parked', 'interrupted'])
    .returning('priority')
    .executeTakeFirst();
  await tx
    .updateTable('dispatches')
    .set({
      state: settlement.state,
      reason: settlement.reason,
      ended_at: now,
      due_at: settlement.until ?? now,
      hold_id: settlement.holdId ?? null,
      attempt: dispatch.attempt - (settlement.isAttempt === false ? 1 : 0),
      troubles: dispatch.troubles + (settlement.isTrouble === true ? 1 : 0),
      priority: Math.max(dispatch.priority, newer?.priority ?? 0),
    })
    .where('id', '=', dispatch.id)
    .where('state', '=', 'running')
    .execute();
  await tx
    .updateTable('messages')
    .set({ state: 'waiting', dispatch_id: null })
    .where('conversation_id', '=', dispatch.conversation_id)
    .where('dispatch_id', '=', dispatch.id)
    .where('state', '=', 'carried')
    .execute();
}

export interface Rescue {
  now: number;
  /** every running dispatch of these workers, whatever its lease says: the workers are known to be dead */
  deadWorkers: string[] | 'expired-only';
  reason: string;
}

/** Running dispatches whose worker is gone become interrupted and wait. Answers their ids. */
export async function rescueExpired(database: Database, rescue: Rescue): Promise<string[]> {
  return await database.transaction(async (tx) => {
    let query = tx
      .selectFrom('dispatches as d')
      .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
      .selectAll('d')
      .select(['c.lease_token', 'c.lease_until'])
      .where('d.state', '=', 'running')
      // One of these has no prompt to begin again with: see `attaching.ts`.
      .where('d.attached_by', 'is', null);
    query =
      rescue.deadWorkers === 'expired-only'
        ? query.where('c.lease_until', '<=', rescue.now)
        : query.where((e) =>
            e.or([
              e('c.lease_until', '<=', rescue.now),
              ...(rescue.deadWorkers.length > 0 ? [e('d.worker', 'in', rescue.deadWorkers as string[])] : []),
            ]),
          );
    const rescued: string[] = [];
    for (const candidate of await query.execute()) {
      const dispatch = await takeAway(tx, candidate);
      if (dispatch === undefined) continue;
      await putBack(tx, dispatch, {
        settlement: { state: 'interrupted', reason: rescue.reason },
        now: rescue.now,
      });
      rescued.push(dispatch.id);
    }
    return rescued;
  });
}

/**
 * The number rises, so that the old holder can no longer write if it is still alive. Undefined when the dispatch was
 * settled, renewed, or rescued by another worker before we had the lock.
 */
export async function takeAway(
  tx: Rows,
  candidate: DispatchRow & { lease_token: number; lease_until: number },
): Promise<DispatchRow | undefined> {
  const { numUpdatedRows } = await tx
    .updateTable('conversations')
    .set({ lease_worker: null, lease_until: 0, lease_token: candidate.lease_token + 1 })
    .where('id', '=', candidate.conversation_id)
    .where('lease_token', '=', candidate.lease_token)
    .where('lease_until', '=', candidate.lease_until)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) return undefined;
  return await tx
    .selectFrom('dispatches')
    .selectAll()
    .where('id', '=', candidate.id)
    .where('state', '=', 'running')
    .executeTakeFirst();
}
