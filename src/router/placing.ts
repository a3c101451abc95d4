/**
 * An event completed from the rows. Deliveries have complete sets and no deltas, and CI runs that name only a commit: what an
 * event added, and the item it belongs to, follow from what was last seen of the item.
 */
import type { Rows } from '../database/database.ts';
import type { NewItemRow } from '../database/tables.ts';
import { seenTextOf } from '../forges/seen-text.ts';
import type { LabelsTold } from '../trust/labels.ts';
import type { EventItem, ForgeEvent, ForgeUser } from '../vocabulary.ts';
import type { Located } from './locating.ts';
import type { SeenItem } from './standing.ts';

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

/** What the rows know that the event does not say. */
export interface Place {
  /** the item of a CI run that names none */
  located: Located | null;
  /** what was last seen of the item */
  item: SeenItem | null;
}

/** Pure. */
export function placeEvent(
  event: ForgeEvent,
  { located, item: before }: Place,
  { replayed = false, labels = null }: Placing = {},
): Placed {
  const item = event.item ?? (located === null ? null : itemAt(located, event.sender));
  const placed = { ...event, item };
  if (item === null) return { event: placed, row: null };
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
    row: isNews ? rowAfter({ ...placed, occurredAt }, item, { sets, isTold: labels !== null }) : null,
  };
}

export async function rememberItem(tx: Rows, row: NewItemRow): Promise<void> {
  const { forge: _, repository_id: _id, number: _number, kind: _kind, ...state } = row;
  await tx
    .insertInto('items')
    .values(row)
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number', 'kind']).doUpdateSet(state))
    .execute();
}

interface Sets {
  assignees: string[];
  labels: string[];
}

/** Deliveries come in any order; an older one may not bring an older state back. A time nobody gave decides nothing. */
function isOlder(event: ForgeEvent, before: SeenItem | null): boolean {
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
function withoutNews(announced: string[], before: SeenItem | null, told: LabelsTold | null): string[] {
  // guard: world trust: a label put on since counts again
  if (told === null || before === null) return announced;
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
    seen_text: JSON.stringify(seenTextOf(item)),
    ...(event.pull === null ? {} : { head_sha: event.pull.headSha, head_ref: event.pull.headRef }),
  };
}

/** As an event would describe it that said no more than which item it is. */
function itemAt({ kind, number }: Located, author: ForgeUser): EventItem {
  return {
    kind,
    number,
    title: '',
    body: '',
    state: 'open',
    htmlUrl: '',
    author,
    labels: [],
    assignees: [],
  };
}
