/**
 * Leases: one run per conversation, whoever the workers are.
 *
 * A lease is a row with a number that only rises. Every later write of the holder names its number; a holder whose
 * number is old learns it from a write that changes nothing (LeaseLost), not from a clock.
 */
import type { Updateable } from 'kysely';
import { type Database, type Rows, serialise } from '../database/database.ts';
import type { ConversationRow, DispatchRow, MessageRow, Tables } from '../database/tables.ts';
import { LeaseLost } from '../errors.ts';
import { currentHolds, holdsModel, isFree } from './holds.ts';

export interface LeaseRequest {
  worker: string;
  now: number;
  leaseMs: number;
  /**
   * the most dispatches of each agent at once, over all workers; this worker runs no agent that is absent here
   */
  agentLimits: ReadonlyMap<string, number>;
  /** the model of each agent: a limit of one model holds up only the agents that use it */
  models?: ReadonlyMap<string, string>;
}

/** A message with its event. */
export type CarriedRow = MessageRow & {
  /** JSON ForgeEvent */
  event: string;
};

/** What the previous attempt left: the prompt it sent and the messages in that. */
export interface PreviousAttempt {
  prompt: string | null;
  carried: string[];
  answer: string | null;
}

export interface Lease {
  worker: string;
  token: number;
  conversation: ConversationRow;
  dispatch: DispatchRow;
  /** all messages that this dispatch carries now, oldest first */
  messages: CarriedRow[];
  previous: PreviousAttempt | null;
}

export const LEASING_LOCK = 2;

/**
 * The most urgent dispatch that may run now, or null. Leases are taken one at a time, because the limits count rows.
 */
export async function leaseConversation(database: Database, request: LeaseRequest): Promise<Lease | null> {
  return await database.transaction(async (tx) => {
    await serialise(database.dialect, tx, LEASING_LOCK);
    const agents = await agentsWithRoom(tx, request.agentLimits);
    if (agents.length === 0) return null;
    const dispatch = await nextDue(tx, request, agents);
    return dispatch === undefined ? null : await take(tx, request, dispatch);
  });
}

async function agentsWithRoom(tx: Rows, limits: ReadonlyMap<string, number>): Promise<string[]> {
  const running = await tx
    .selectFrom('dispatches')
    .select(['agent', (e) => e.fn.countAll<number>().as('count')])
    .where('state', '=', 'running')
    // A person at a terminal takes no place of the agent's runs.
    .where('attached_by', 'is', null)
    .groupBy('agent')
    .execute();
  const counts = new Map(running.map((r) => [r.agent, Number(r.count)]));
  return [...limits].filter(([agent, limit]) => (counts.get(agent) ?? 0) < limit).map(([agent]) => agent);
}

/** Agents whose model, or whose credential, is held up. The rows do not know which model an agent has. */
async function agentsWithoutModel(
  tx: Rows,
  { now, models }: LeaseRequest,
  agents: string[],
): Promise<string[]> {
  const holds = (await currentHolds(tx, now)).filter(({ kind }) => kind === 'credential');
  return agents.filter((agent) => holds.some((hold) => holdsModel(hold, models?.get(agent) ?? null)));
}

async function nextDue(tx: Rows, request: LeaseRequest, agents: string[]): Promise<DispatchRow | undefined> {
  const { now } = request;
  const withoutModel = await agentsWithoutModel(tx, request, agents);
  return await tx
    .selectFrom('dispatches as d')
    .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
    .selectAll('d')
    .where('d.state', 'in', ['queued', 'parked', 'interrupted'])
    .where('d.due_at', '<=', now)
    .where('d.agent', 'in', agents)
    .where('c.lease_until', '<=', now)
    // guard: hold
    .where(isFree(now, withoutModel))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('dispatches as r')
            .select('r.id')
            .whereRef('r.conversation_id', '=', 'd.conversation_id')
            .where('r.state', '=', 'running'),
        ),
      ),
    )
    .orderBy('d.priority', 'desc')
    // Parked dispatches have waited longest and go first again. Interrupted ones do not: if one of them kills its
    // workers, the others must not wait behind it.
    .orderBy((e) =>
      e.case().when('d.state', '=', 'parked').then(e.ref('d.created_at')).else(e.ref('d.due_at')).end(),
    )
    .orderBy('d.seq')
    .limit(1)
    .executeTakeFirst();
}

async function take(tx: Rows, request: LeaseRequest, row: DispatchRow): Promise<Lease> {
  const conversation = await tx
    .updateTable('conversations')
    .set((e) => ({
      lease_worker: request.worker,
      lease_token: e('lease_token', '+', 1),
      lease_until: request.now + request.leaseMs,
    }))
    .where('id', '=', row.conversation_id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('messages')
    .set({ state: 'carried', dispatch_id: row.id })
    .where('conversation_id', '=', row.conversation_id)
    .where('state', '=', 'waiting')
    .execute();
  const messages = await carriedMessages(tx, row);
  const dispatch = await tx
    .updateTable('dispatches')
    .set({
      state: 'running',
      reason: null,
      hold_id: null,
      attempt: row.attempt + 1,
      worker: request.worker,
      started_at: request.now,
      ended_at: null,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const previous =
    row.attempt === 0
      ? null
      : { prompt: row.prompt, carried: JSON.parse(row.carried) as string[], answer: row.answer };
  return {
    worker: request.worker,
    token: conversation.lease_token,
    conversation,
    dispatch,
    messages,
    previous,
  };
}

async function carriedMessages(tx: Rows, dispatch: DispatchRow): Promise<CarriedRow[]> {
  return await tx
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .selectAll('m')
    .select('e.event')
    // The event of a message is always stored whole.
    .$narrowType<{ event: string }>()
    // The index begins with the conversation. Without that condition all messages were read (140 ms of 200,000).
    .where('m.conversation_id', '=', dispatch.conversation_id)
    .where('m.dispatch_id', '=', dispatch.id)
    .where('m.state', '=', 'carried')
    .orderBy('m.seq')
    .execute();
}

/**
 * Takes up messages that arrived since the lease. The prompt is made from what the forge says after the lease, so it
 * contains a comment that came in between, and that comment's message must not wake a second dispatch to answer it
 * again.
 */
export async function carryLate(database: Database, lease: Lease, now: number): Promise<Lease> {
  if (!(await hasNews(database.rows, lease.conversation.id))) return lease;
  return await database.transaction(async (tx) => {
    await assertLease(tx, lease);
    await tx
      .updateTable('messages')
      .set({ state: 'carried', dispatch_id: lease.dispatch.id })
      .where('conversation_id', '=', lease.conversation.id)
      .where('state', '=', 'waiting')
      .execute();
    await tx
      .updateTable('dispatches')
      .set({ state: 'cancelled', reason: `merged into dispatch ${lease.dispatch.id}`, ended_at: now })
      .where('conversation_id', '=', lease.conversation.id)
      .where('state', '=', 'queued')
      .execute();
    return { ...lease, messages: await carriedMessages(tx, lease.dispatch) };
  });
}

/** Messages that come after this look wait for the next dispatch, like those that come after the transaction. */
async function hasNews(rows: Rows, conversationId: string): Promise<boolean> {
  const found = await rows
    .selectFrom('messages')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('state', '=', 'waiting')
    .unionAll((e) =>
      e
        .selectFrom('dispatches')
        .select('id')
        .where('conversation_id', '=', conversationId)
        .where('state', '=', 'queued'),
    )
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** Prolongs the lease; throws LeaseLost when somebody else has it, or when it was given back. */
export async function renewLease(rows: Rows, lease: Lease, until: number): Promise<void> {
  const { numUpdatedRows } = await rows
    .updateTable('conversations')
    .set({ lease_until: until })
    .where('id', '=', lease.conversation.id)
    .where('lease_token', '=', lease.token)
    // A heartbeat after the settlement must not keep the conversation from the next worker.
    .where('lease_worker', '=', lease.worker)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw leaseLost(lease);
}

/**
 * Call first in every transaction that writes on behalf of a lease. Locks the conversation's row, so that a lease
 * cannot change hands before the transaction ends. `changes`: what the transaction writes to that row.
 */
// guard: lease token
export async function assertLease(
  tx: Rows,
  lease: Lease,
  changes: Updateable<Tables['conversations']> = {},
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('conversations')
    .set({ lease_token: lease.token, ...changes })
    .where('id', '=', lease.conversation.id)
    .where('lease_token', '=', lease.token)
    .where('lease_worker', '=', lease.worker)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw leaseLost(lease);
}

/**
 * Writes once to the row of the dispatch that runs under this lease. It needs no transaction of its own: the row itself
 * says whose it is, because whoever takes a lease over raises its attempt in the same transaction. Throws LeaseLost.
 */
export async function updateLeased(
  rows: Rows,
  lease: Lease,
  changes: Updateable<Tables['dispatches']>,
): Promise<void> {
  const { id, attempt } = lease.dispatch;
  const { numUpdatedRows } = await rows
    .updateTable('dispatches')
    .set(changes)
    .where('id', '=', id)
    .where('state', '=', 'running')
    .where('worker', '=', lease.worker)
    // guard: lease token: the dispatch's own row
    .where('attempt', '=', attempt)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw leaseLost(lease);
}

/** For acts that write no row of ours: throws LeaseLost when somebody else has the lease by now. */
export async function requireLease(rows: Rows, lease: Lease): Promise<void> {
  const mine = await rows
    .selectFrom('conversations')
    .select('id')
    .where('id', '=', lease.conversation.id)
    .where('lease_token', '=', lease.token)
    .where('lease_worker', '=', lease.worker)
    .executeTakeFirst();
  if (mine === undefined) throw leaseLost(lease);
}

/**
 * The database for a run. Each transaction checks first that the lease still holds, so that a run whose lease was lost
 * changes neither the session chain nor the archive of its successor. Reads and single statements through `rows` are
 * not checked: they may only note what has happened (turns, incidents).
 */
export function underLease(database: Database, lease: Lease): Database {
  return {
    ...database,
    transaction: (work) =>
      database.transaction(async (tx) => {
        await assertLease(tx, lease);
        return await work(tx);
      }),
  };
}

function leaseLost(lease: Lease): LeaseLost {
  return new LeaseLost(
    `The lease of conversation ${lease.conversation.id} ended while dispatch ${lease.dispatch.id} ran here. ` +
      'This run stops and writes nothing; raise worker.lease_seconds if this host is often too busy to renew in time.',
  );
}
