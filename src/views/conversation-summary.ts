/** A conversation in one line of a list: what it is about and what it is doing. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, DispatchRow } from '../database/tables.ts';
import type { Hold } from '../mailbox/holds.ts';
import type { ItemKind } from '../vocabulary.ts';
import {
  type ConversationState,
  type EndedDispatch,
  type OpenDispatch,
  stateOf,
} from './conversation-state.ts';
import { timeOf } from './stored.ts';

/** All times RFC 3339 in UTC. */
export interface ConversationSummary {
  id: string;
  forge: string;
  /** `owner/name` as last seen */
  repository: string;
  number: number;
  kind: ItemKind;
  title: string;
  agent: string;
  branch: string | null;
  state: ConversationState;
  /** messages no run has taken yet */
  waitingMessages: number;
  /** answers that the forge refused, and that are kept to be posted */
  unpostedAnswers: number;
  /** US dollars at list prices; null = a model without a known price was used */
  spentUsd: number | null;
  updatedAt: string;
}

export interface Moment {
  holds: Hold[];
  now: number;
}

/** In the order of `found`, with four statements however many there are; the caller keeps `found` to one page. */
export async function summarise(
  rows: Rows,
  found: readonly ConversationRow[],
  moment: Moment,
): Promise<ConversationSummary[]> {
  if (found.length === 0) return [];
  const ids = found.map(({ id }) => id);
  const counts = new Map((await countsOf(rows, ids)).map((row) => [row.id, row]));
  const ended = new Map(
    (await lastEnded(rows, [...counts.values()])).map((dispatch) => [dispatch.conversation_id, dispatch]),
  );
  const spent = await spentOf(rows, ids);
  const open = Map.groupBy(await openDispatches(rows, ids), (dispatch) => dispatch.conversation_id);
  return found.map((row) => {
    const counted = counts.get(row.id)!;
    return {
      id: row.id,
      forge: row.forge,
      repository: row.repository_name,
      number: row.item_number,
      kind: row.item_kind,
      title: row.title,
      agent: row.agent,
      branch: row.branch,
      state: stateOf(row, { open: open.get(row.id) ?? [], last: ended.get(row.id) ?? null }, moment),
      waitingMessages: Number(counted.waiting),
      unpostedAnswers: Number(counted.unposted),
      spentUsd: spent.get(row.id) ?? (spent.has(row.id) ? null : 0),
      updatedAt: timeOf(row.updated_at)!,
    };
  });
}

interface Counts {
  id: string;
  waiting: number | null;
  unposted: number | null;
  /** `seq` of the newest dispatch that has ended */
  last: number | null;
}

/** By subqueries, so that each follows the index of its table from one conversation to the rows it needs. */
async function countsOf(rows: Rows, ids: readonly string[]): Promise<Counts[]> {
  return await rows
    .selectFrom('conversations as c')
    .select('c.id')
    .select((e) => [
      e
        .selectFrom('messages as m')
        .select((s) => s.fn.countAll<number>().as('n'))
        .whereRef('m.conversation_id', '=', 'c.id')
        .where('m.state', '=', 'waiting')
        .as('waiting'),
      e
        .selectFrom('dispatches as d')
        .select((s) => s.fn.countAll<number>().as('n'))
        .whereRef('d.conversation_id', '=', 'c.id')
        .where('d.state', '=', 'unposted')
        .as('unposted'),
      e
        .selectFrom('dispatches as d')
        .select('d.seq')
        .whereRef('d.conversation_id', '=', 'c.id')
        .where('d.state', 'in', ['succeeded', 'unposted', 'failed', 'cancelled'])
        .where('d.attached_by', 'is', null)
        .orderBy('d.seq', 'desc')
        .limit(1)
        .as('last'),
    ])
    .where('c.id', 'in', [...ids])
    .execute();
}

/** By conversation; none where there was no request, null where one has no known price. */
async function spentOf(rows: Rows, ids: readonly string[]): Promise<Map<string, number | null>> {
  const found = await rows
    .selectFrom('model_requests')
    .select(({ fn }) => [
      'conversation_id',
      fn.sum<number | null>('micro_usd').as('microUsd'),
      fn.count<number>('micro_usd').as('priced'),
      fn.countAll<number>().as('all'),
    ])
    .where('conversation_id', 'in', [...ids])
    .groupBy('conversation_id')
    .execute();
  return new Map(
    found.map((row) => [
      row.conversation_id,
      Number(row.priced) === Number(row.all) ? Number(row.microUsd ?? 0) / 1e6 : null,
    ]),
  );
}

async function lastEnded(
  rows: Rows,
  counts: readonly Counts[],
): Promise<(EndedDispatch & Pick<DispatchRow, 'conversation_id'>)[]> {
  const seqs = counts.map(({ last }) => last).filter((last) => last !== null);
  if (seqs.length === 0) return [];
  const found = await rows
    .selectFrom('dispatches as d')
    .select(['d.id', 'd.conversation_id', 'd.state', 'd.reason', 'd.ended_at'])
    .select((e) =>
      e
        .selectFrom('set_aside as s')
        .select((s) => s.fn.countAll<number>().as('n'))
        .whereRef('s.conversation_id', '=', 'd.conversation_id')
        .whereRef('s.dispatch_id', '=', 'd.id')
        .as('texts'),
    )
    .where('d.seq', 'in', seqs)
    .execute();
  return found.map(({ texts, ...dispatch }) => ({ ...dispatch, set_aside: Number(texts) > 0 }));
}

async function openDispatches(
  rows: Rows,
  ids: readonly string[],
): Promise<(OpenDispatch & Pick<DispatchRow, 'conversation_id'>)[]> {
  return await rows
    .selectFrom('dispatches')
    .select(['id', 'conversation_id', 'state', 'reason', 'due_at', 'hold_id', 'started_at', 'worker'])
    .select('attached_by')
    .where('conversation_id', 'in', [...ids])
    .where('state', 'in', ['running', 'queued', 'parked', 'interrupted'])
    .execute();
}
