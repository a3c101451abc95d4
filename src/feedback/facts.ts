/** What the rows say of work that goes on, or has ended with something still shown. A few statements, whatever there is. */
import type { Rows } from '../database/database.ts';
import { holdSentence } from '../mailbox/command-holds.ts';
import { currentHolds, holdsOf } from '../mailbox/holds.ts';
import type { NoticePlace } from '../mailbox/notices.ts';
import { noticesOf } from '../mailbox/notices.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { commentKey, LONG_MS, type WorkFacts } from './wanted.ts';
import { doingOf } from './words.ts';

const ACTIVE = ['queued', 'running', 'parked', 'interrupted'] as const;

export interface Surroundings {
  now: number;
  /** the page of a dispatch; null = there is none */
  urlOf: (dispatchId: string) => string | null;
  modelOf: (agent: string) => string | null;
}

export async function workFacts(rows: Rows, around: Surroundings): Promise<WorkFacts[]> {
  const dispatches = [...(await activeDispatches(rows)), ...(await endedWithNotices(rows))];
  if (dispatches.length === 0) return [];
  const conversationIds = [...new Set(dispatches.map((d) => d.conversation_id))];
  const pulls = await pullsOf(rows, conversationIds);
  const notices = await noticesOf(
    rows,
    dispatches.map((d) => d.id),
  );
  const holds = await currentHolds(rows, around.now);
  const running = new Set(dispatches.filter((d) => d.state === 'running').map((d) => d.conversation_id));
  const attached = await attachedConversations(rows);
  const facts: WorkFacts[] = [];
  for (const d of dispatches) {
    const model = around.modelOf(d.agent);
    const target = {
      id: d.conversation_id,
      agent: d.agent,
      forge: d.forge,
      repository_id: d.repository_id,
      model,
    };
    const startedAt = numberOrNull(d.started_at);
    const isLongRun = d.state === 'running' && around.now - (startedAt ?? around.now) > LONG_MS;
    const own = notices.filter((notice) => notice.dispatch_id === d.id);
    const hasComment = own.some(({ key }) => key === commentKey(d.id));
    facts.push({
      forge: d.forge,
      repository: { id: d.repository_id, fullName: d.repository_name },
      dispatch: {
        id: d.id,
        agent: d.agent,
        state: d.state,
        createdAt: Number(d.created_at),
        dueAt: Number(d.due_at),
        startedAt,
        endedAt: numberOrNull(d.ended_at),
      },
      conversationId: d.conversation_id,
      number: hasComment ? d.item_number : ((await askedOn(rows, d.conversation_id)) ?? d.item_number),
      pull: pulls.get(d.conversation_id) ?? null,
      holds: [
        ...(attached.has(d.conversation_id) ? [ATTACHED] : []),
        ...holdsOf(holds, target).map((hold) => holdSentence(hold)),
      ],
      doing: isLongRun ? await lastDoing(rows, d) : null,
      url: around.urlOf(d.id),
      notices: own,
      isSecond: isEnded(d.state)
        ? dispatches.some((other) => other.conversation_id === d.conversation_id && !isEnded(other.state))
        : d.state !== 'running' && running.has(d.conversation_id),
    });
  }
  return facts;
}

function isEnded(state: string): boolean {
  return !ACTIVE.some((one) => one === state);
}

function numberOrNull(value: number | null): number | null {
  return value === null ? null : Number(value);
}

/** Conversations at whose terminal a person is. */
async function attachedConversations(rows: Rows): Promise<Set<string>> {
  const found = await rows
    .selectFrom('dispatches')
    .select('conversation_id')
    .where('state', '=', 'running')
    .where('attached_by', 'is not', null)
    .execute();
  return new Set(found.map((row) => row.conversation_id));
}

const ATTACHED =
  'Whoever runs this service works with me at my terminal just now. I begin by myself when they have left.';

type Found = Awaited<ReturnType<typeof activeDispatches>>[number];

async function activeDispatches(rows: Rows) {
  return await dispatchesWithPlace(rows)
    .where('d.state', 'in', [...ACTIVE])
    .where('d.attached_by', 'is', null)
    .execute();
}

/** What is still shown of them has to go, or to say how they ended. */
async function endedWithNotices(rows: Rows): Promise<Found[]> {
  return await dispatchesWithPlace(rows)
    .where('d.state', 'not in', [...ACTIVE])
    .where('d.id', 'in', (e) =>
      e
        .selectFrom('notices')
        .select('dispatch_id')
        .where('closed', '=', 0)
        .where('dispatch_id', 'is not', null)
        .$castTo<{ dispatch_id: string }>(),
    )
    .execute();
}

function dispatchesWithPlace(rows: Rows) {
  return rows
    .selectFrom('dispatches as d')
    .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
    .select(['d.id', 'd.agent', 'd.state', 'd.created_at', 'd.due_at', 'd.started_at', 'd.ended_at'])
    .select(['c.forge', 'c.repository_id', 'c.repository_name', 'c.item_number'])
    .select('d.conversation_id');
}

/** By conversation: its newest pull request whose head is known. */
async function pullsOf(rows: Rows, conversationIds: readonly string[]) {
  const found = await rows
    .selectFrom('conversation_items as n')
    .innerJoin('items as i', (join) =>
      join
        .onRef('i.forge', '=', 'n.forge')
        .onRef('i.repository_id', '=', 'n.repository_id')
        .onRef('i.number', '=', 'n.number')
        .onRef('i.kind', '=', 'n.kind'),
    )
    .select(['n.conversation_id', 'n.number', 'i.head_sha'])
    .where('n.conversation_id', 'in', conversationIds)
    .where('n.kind', '=', 'pull')
    .where('i.head_sha', 'is not', null)
    .orderBy('n.number')
    .execute();
  return new Map(found.map((row) => [row.conversation_id, { number: row.number, headSha: row.head_sha! }]));
}

/** The item of the newest message: whoever wrote it looks there. */
async function askedOn(rows: Rows, conversationId: string): Promise<number | null> {
  const row = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select('e.event')
    .where('m.conversation_id', '=', conversationId)
    .where('m.state', 'in', ['waiting', 'carried'])
    .orderBy('m.seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.event == null ? null : ((JSON.parse(row.event) as ForgeEvent).item?.number ?? null);
}

async function lastDoing(rows: Rows, { id, conversation_id: conversation }: Found): Promise<string | null> {
  const turn = await rows
    .selectFrom('turns')
    .select(['kind', 'content'])
    .where('conversation_id', '=', conversation)
    .where('dispatch_id', '=', id)
    .where('kind', '=', 'tool')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return turn === undefined ? null : doingOf(turn.content.split(' ')[0]!);
}

/** A message that its agent has not shown to have seen. */
export interface Unseen extends NoticePlace {
  messageId: string;
  agent: string;
  event: ForgeEvent;
}

const MOST_AT_ONCE = 50;

export async function unseenMessages(rows: Rows): Promise<Unseen[]> {
  const waiting = await rows
    .selectFrom('dispatches as d')
    .innerJoin('messages as m', 'm.conversation_id', 'd.conversation_id')
    .select('m.id')
    .distinct()
    .where('d.state', 'in', [...ACTIVE])
    .where('m.state', 'in', ['waiting', 'carried'])
    .execute();
  if (waiting.length === 0) return [];
  const keys = waiting.map(({ id }) => `${SEEN}${id}`);
  const known = await rows.selectFrom('notices').select('key').where('key', 'in', keys).execute();
  const seen = new Set(known.map(({ key }) => key));
  const ids = waiting.map(({ id }) => id).filter((id) => !seen.has(`${SEEN}${id}`));
  if (ids.length === 0) return [];
  const found = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select([
      'm.id',
      'c.agent',
      'c.forge',
      'c.repository_id',
      'c.repository_name',
      'c.item_number',
      'e.event',
    ])
    .where('m.id', 'in', ids.slice(0, MOST_AT_ONCE))
    .orderBy('m.seq')
    .execute();
  return found.flatMap((row) => {
    if (row.event === null) return [];
    const event = JSON.parse(row.event) as ForgeEvent;
    return [
      {
        messageId: row.id,
        agent: row.agent,
        forge: row.forge,
        repository: { id: row.repository_id, fullName: row.repository_name },
        number: event.item?.number ?? row.item_number,
        event,
      },
    ];
  });
}

export const SEEN = 'seen:';
