/**
 * What was last seen of an item. Forgejo sends complete sets and no deltas, and CI runs that name only a commit; both
 * are made whole here, from the last state and before it is replaced.
 */
import type { Rows } from '../database/database.ts';
import type { NewItemRow } from '../database/tables.ts';
import { pusherOf } from '../mailbox/pushes.ts';
import type { LabelsTold } from '../trust/labels.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';

/** An event with what it added, and the row that its item has afterwards. */
export interface Placed {
  event: ForgeEvent;
  /** null = the row stays as it is */
  row: NewItemRow | null;
}

export interface Placing {
  /** what it added has been seen long ago, and counts again */
  replayed?: boolean;
  /** of an event about labels, as the forge has them now; null = nothing but the event says so */
  labels?: LabelsTold | null;
}

/** Writes nothing. */
export async function placeEvent(
  rows: Rows,
  event: ForgeEvent,
  { replayed = false, labels = null }: Placing = {},
): Promise<Placed> {
  const placed = event.item === null ? await placeByHead(rows, event) : event;
  if (placed.item === null) return { event: placed, row: null };
  const before = await rows
    .selectFrom('items')
    .selectAll()
    .where('forge', '=', event.forge)
    .where('repository_id', '=', event.repository.id)
    .where('number', '=', placed.item.number)
    .executeTakeFirst();
  const announced = {
    assignees: namesIn(before?.assignees),
    labels: withoutNews(namesIn(before?.labels), before, labels),
  };
  const added = {
    assignees: without(event.added.assignees, announced.assignees),
    labels: without(event.added.labels, announced.labels),
  };
  // CI runs carry no item state.
  const isNews = event.ci === null && (labels !== null || !isOlder(event, before));
  const known = before?.occurred_at ?? '';
  const occurredAt =
    labels === null ? event.occurredAt || known : latest([known, event.occurredAt, labels.changedAt]);
  const sets = labels === null ? announced : { ...announced, labels: [...announced.labels, ...added.labels] };
  return {
    event: replayed ? placed : { ...placed, added },
    row: isNews ? rowAfter({ ...placed, occurredAt }, placed.item, { sets, isTold: labels !== null }) : null,
  };
}

export async function rememberItem(tx: Rows, { row }: Placed): Promise<void> {
  if (row === null) return;
  const { forge: _, repository_id: _id, number: _number, ...state } = row;
  await tx
    .insertInto('items')
    .values(row)
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number']).doUpdateSet(state))
    .execute();
}

interface Sets {
  assignees: string[];
  labels: string[];
}

/** Deliveries come in any order; an older one may not bring an older state back. A time nobody gave decides nothing. */
function isOlder(event: ForgeEvent, before: { occurred_at: string } | undefined): boolean {
  return Date.parse(event.occurredAt) < Date.parse(before?.occurred_at ?? '');
}

function namesIn(stored: string | undefined): string[] {
  return JSON.parse(stored ?? '[]') as string[];
}

/** Logins and labels compare without case. */
function without(names: string[], taken: string[]): string[] {
  const lower = new Set(taken.map((name) => name.toLowerCase()));
  return names.filter((name) => !lower.has(name.toLowerCase()));
}

function within(names: string[], allowed: string[]): string[] {
  return without(names, without(names, allowed));
}

/** What was put on after the row was written was taken off in between, if it was there at all: it counts again. */
function withoutNews(
  announced: string[],
  before: { occurred_at: string } | undefined,
  told: LabelsTold | null,
): string[] {
  // guard: world trust: a label put on since counts again
  if (told === null || before === undefined) return announced;
  const known = Date.parse(before.occurred_at);
  return announced.filter((name) => !(Date.parse(told.putOn.get(name.toLowerCase()) ?? '') > known));
}

function latest(times: string[]): string {
  return times.reduce((a, b) => (Date.parse(b) > Date.parse(a) || a === '' ? b : a), '');
}

const ASSIGNEE_EVENTS = /\.(assigned|unassigned)$/;
const LABEL_EVENTS = /\.labeled$/;

export function isAboutLabels({ name }: Pick<ForgeEvent, 'name'>): boolean {
  return LABEL_EVENTS.test(name);
}

/**
 * A name is kept once the event that announces additions has brought it. Every payload has the complete sets, but an
 * `opened` or a comment that overtakes `assigned` must not make the assignee look like an old one: nobody would ever be
 * woken. What is gone from a set, on the other hand, is gone whoever says so. Where the forge told who put a label on
 * (`isTold`), those of others wait for their own deliveries.
 */
function rowAfter(
  event: ForgeEvent,
  item: EventItem,
  { sets: announced, isTold }: { sets: Sets; isTold: boolean },
): NonNullable<Placed['row']> {
  const assignees = ASSIGNEE_EVENTS.test(event.name)
    ? item.assignees
    : within(announced.assignees, item.assignees);
  const isWhole = isAboutLabels(event) && !isTold;
  const labels = isWhole ? item.labels : within(announced.labels, item.labels);
  return {
    forge: event.forge,
    repository_id: event.repository.id,
    number: item.number,
    kind: item.kind,
    labels: JSON.stringify(labels),
    assignees: JSON.stringify(assignees),
    occurred_at: event.occurredAt,
    ...(event.pull === null ? {} : { head_sha: event.pull.headSha, head_ref: event.pull.headRef }),
  };
}

/**
 * A CI run that names no pull request belongs to the one whose head it ran on: of several, one that is part of a
 * conversation. Anybody may open another with the same head, which must not take its CI away from the agent.
 */
async function placeByHead(rows: Rows, event: ForgeEvent): Promise<ForgeEvent> {
  if (event.ci === null) return event;
  const pull = await rows
    .selectFrom('items as i')
    .leftJoin('conversation_items as c', (join) =>
      join
        .onRef('c.forge', '=', 'i.forge')
        .onRef('c.repository_id', '=', 'i.repository_id')
        .onRef('c.number', '=', 'i.number'),
    )
    .select(['i.number', 'i.kind', 'c.conversation_id'])
    .where('i.forge', '=', event.forge)
    .where('i.repository_id', '=', event.repository.id)
    .where('i.kind', '=', 'pull')
    .where('i.head_sha', '=', event.ci.headSha)
    .orderBy((e) => e.case().when('c.conversation_id', 'is', null).then(1).else(0).end())
    .orderBy('i.number', 'desc')
    .executeTakeFirst();
  // One that is being opened is not part of its conversation yet: the commit tells whose work it is.
  // guard: ci: before it has joined
  const isJoined = pull !== undefined && pull.conversation_id !== null;
  // guard: ci: before the pull request
  const found = isJoined ? pull : ((await placeByPush(rows, event, event.ci.headSha)) ?? pull ?? null);
  if (found === null) return event;
  const item: EventItem = {
    kind: found.kind,
    number: found.number,
    title: '',
    body: '',
    state: 'open',
    htmlUrl: '',
    author: event.sender,
    labels: [],
    assignees: [],
  };
  return { ...event, item };
}

/** Before there is a pull request, what we pushed tells whose work it is. */
async function placeByPush(
  rows: Rows,
  { forge, repository }: ForgeEvent,
  sha: string,
): Promise<Pick<EventItem, 'kind' | 'number'> | null> {
  const pusher = await pusherOf(rows, { forge, repositoryId: repository.id, sha });
  return pusher === undefined ? null : { kind: pusher.item_kind, number: pusher.item_number };
}
