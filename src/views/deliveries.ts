/** Deliveries in a list: what came, what it was about, and what was decided. */
import type { Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import type { NamedItem } from '../item-key.ts';
import type { DeliveryState, DispatchState, ItemKind, MessageState } from '../vocabulary.ts';
import { type Page, type PageQuery, readPage, readPages } from './pages.ts';
import { timeOf } from './stored.ts';

export const DELIVERY_STATES = [
  'received',
  'routed',
  'ignored',
  'duplicate',
  'failed',
] as const satisfies readonly DeliveryState[];

/** Times RFC 3339 in UTC. */
export interface DeliverySummary {
  id: string;
  forge: string;
  source: DeliveryRow['source'];
  receivedAt: string;
  state: DeliveryState;
  /** why, where it woke nobody */
  reason: string | null;
  duplicateOf: string | null;
  eventName: string | null;
  /** null until it is decided, and where it was decided by a release that did not keep it */
  repository: string | null;
  number: number | null;
  sender: string | null;
  woke: WokenAgent[];
}

export interface WokenAgent {
  agent: string;
  conversation: string;
  message: MessageState;
  reason: string | null;
  /** the one that took the message; null while it waits */
  dispatch: string | null;
  /** of that dispatch */
  state: DispatchState | null;
}

export interface DeliveryList {
  /** newest first */
  deliveries: DeliverySummary[];
  /** that match, listed or not */
  total: number;
}

export interface DeliveryQuery {
  repository: { forge: string | null; repository: string } | null;
  state: DeliveryState | null;
  /** ms */
  since: number | null;
  limit: number;
}

/** Not selected: bodies and headers, which are most of the bytes of a row. */
const SHOWN = [
  'seq',
  'id',
  'forge',
  'source',
  'received_at',
  'state',
  'reason',
  'duplicate_of',
  'event_name',
  'repository_name',
  'item_number',
  'sender_login',
] as const satisfies (keyof DeliveryRow)[];

/** The place of a delivery in the order of arrival: its `seq`. */
type Query = PageQuery<number>;

export async function listDeliveries(rows: Rows, query: DeliveryQuery): Promise<DeliveryList> {
  return await listOf(rows, matchingOf(rows, query), query.limit);
}

/** Newest first. */
export async function deliveryPage(
  rows: Rows,
  { limit, after, ...query }: Omit<DeliveryQuery, 'limit'> & Query,
): Promise<Page<DeliverySummary, number>> {
  return await pageOf(rows, matchingOf(rows, query), { limit, after });
}

type Matching = ReturnType<typeof allOf>;

function allOf(rows: Rows) {
  return rows.selectFrom('deliveries');
}

function matchingOf(rows: Rows, query: Omit<DeliveryQuery, 'limit'>): Matching {
  let matching = allOf(rows);
  if (query.state !== null) matching = matching.where('state', '=', query.state);
  if (query.since !== null) matching = matching.where('received_at', '>=', query.since);
  if (query.repository !== null) {
    const { forge, repository } = query.repository;
    matching = matching.where(
      (e) => e.fn<string>('lower', ['repository_name']),
      '=',
      repository.toLowerCase(),
    );
    if (forge !== null) matching = matching.where('forge', '=', forge);
  }
  return matching;
}

async function listOf(rows: Rows, matching: Matching, limit: number): Promise<DeliveryList> {
  const { total } = await matching
    .select((e) => e.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const deliveries = await readPages(limit, (query: Query) => pageOf(rows, matching, query));
  return { deliveries, total: Number(total) };
}

async function pageOf(rows: Rows, matching: Matching, query: Query): Promise<Page<DeliverySummary, number>> {
  return await readPage(query, {
    rows: async ({ limit, after }) => {
      const from = after === null ? matching : matching.where('seq', '<', after);
      return await from.select(SHOWN).orderBy('seq', 'desc').limit(limit).execute();
    },
    view: (found) => withWoken(rows, found),
    keyOf: ({ seq }) => seq,
  });
}

export interface ItemQuery {
  forge: string | null;
  repository: string;
  /** `kind` null: the number alone counts */
  items: readonly { kind: ItemKind | null; number: number }[];
  /** whose messages count too, whatever item their deliveries named */
  conversations: readonly string[];
  limit: number;
}

export async function deliveriesOfItem(rows: Rows, query: ItemQuery): Promise<DeliveryList> {
  const carried = rows
    .selectFrom('messages')
    .select('delivery_id')
    .where('conversation_id', 'in', [...query.conversations]);
  const matching = allOf(rows).where((e) => {
    const named = [
      e.or(
        query.items.map(({ kind, number }) => {
          const isOne = e('item_number', '=', number);
          // One that was decided before kinds were kept is of a forge where a number has one kind.
          if (kind === null) return isOne;
          return e.and([isOne, e.or([e('item_kind', '=', kind), e('item_kind', 'is', null)])]);
        }),
      ),
      e(e.fn<string>('lower', ['repository_name']), '=', query.repository.toLowerCase()),
      ...(query.forge === null ? [] : [e('forge', '=', query.forge)]),
    ];
    return e.or([e.and(named), ...(query.conversations.length === 0 ? [] : [e('id', 'in', carried)])]);
  });
  return await listOf(rows, matching, query.limit);
}

/** What deliveries about this number said that it is. */
export async function kindsTold(rows: Rows, { forge, repository, number }: NamedItem) {
  let told = rows
    .selectFrom('deliveries')
    .select(['forge', 'repository_name', 'item_kind'])
    .distinct()
    .where('item_number', '=', number)
    .where((e) => e.fn<string>('lower', ['repository_name']), '=', repository.toLowerCase());
  if (forge !== null) told = told.where('forge', '=', forge);
  return (await told.execute()).flatMap(({ item_kind: kind, repository_name: name, ...row }) =>
    kind === null ? [] : [{ forge: row.forge, repository: name ?? repository, kind }],
  );
}

type ShownRow = Pick<DeliveryRow, (typeof SHOWN)[number]>;

async function withWoken(rows: Rows, found: readonly ShownRow[]): Promise<DeliverySummary[]> {
  if (found.length === 0) return [];
  const messages = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .leftJoin('dispatches as d', 'd.id', 'm.dispatch_id')
    .select(['m.delivery_id', 'm.conversation_id', 'm.state', 'm.reason', 'm.dispatch_id', 'c.agent'])
    .select(['d.state as dispatch_state', 'c.repository_name', 'c.item_number'])
    .where(
      'm.delivery_id',
      'in',
      found.map(({ id }) => id),
    )
    .orderBy('m.seq')
    .execute();
  const byDelivery = Map.groupBy(messages, (message) => message.delivery_id);
  return found.map((row) => {
    const own = byDelivery.get(row.id) ?? [];
    return {
      id: row.id,
      forge: row.forge,
      source: row.source,
      receivedAt: timeOf(row.received_at)!,
      state: row.state,
      reason: row.reason,
      duplicateOf: row.duplicate_of,
      eventName: row.event_name,
      // An event of CI names a commit and no item; the item is that of the conversation.
      repository: row.repository_name ?? own[0]?.repository_name ?? null,
      number: row.item_number ?? own[0]?.item_number ?? null,
      sender: row.sender_login,
      woke: own.map((m) => ({
        agent: m.agent,
        conversation: m.conversation_id,
        message: m.state,
        reason: m.reason,
        dispatch: m.dispatch_id,
        state: m.dispatch_state,
      })),
    };
  });
}
