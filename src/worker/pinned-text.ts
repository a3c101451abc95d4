/**
 * What a run may read of an item: the text that was there when somebody with permission woke the agent. A stranger
 * must not be able to change it between that moment and the run. Pure.
 */
import type { Comment, Item, Review } from '../forge/forge.ts';
import type { CarriedMessage } from './messages.ts';

/** `trusted`: its author may wake agents here, or is one of ours. */
export type Screened<T> = T & { trusted: boolean };

export interface ItemText {
  item: Screened<Item>;
  comments: Screened<Comment>[];
  reviews: Screened<Review>[];
  /** ids of comments that were left out */
  leftOut: number[];
  /** sentences for the prompt */
  notes: string[];
}

export interface ScreenRequest {
  item: Item;
  comments: readonly Comment[];
  reviews: readonly Review[];
  messages: readonly CarriedMessage[];
  isTrusted: (author: { id: number }) => boolean;
  /** whether one of our own accounts wrote it: what our agents edit, they edit for us */
  isOurs: (author: { id: number; login: string }) => boolean;
}

export function screenTexts(request: ScreenRequest): ItemText {
  const { comments, reviews, messages, isTrusted } = request;
  const woken = wokenAt(messages);
  const pinned = pinnedComments(messages);
  const kept = comments.filter((c) => pinned.has(c.id) || isAsItWas(c, woken, request));
  const keptIds = new Set(kept.map((c) => c.id));
  const leftOut = comments.filter((c) => !keptIds.has(c.id));
  const shown = kept.map((c) => ({ ...c, body: pinned.get(c.id) ?? c.body, trusted: isTrusted(c.author) }));
  const edited = kept.filter((c, index) => !sameText(c.body, shown[index]!.body));
  const keptReviews = reviews.filter((r) => isTrusted(r.author) || Date.parse(r.submittedAt) < woken);
  const { item, notes } = pinnedItem(request);
  return {
    item,
    comments: shown,
    reviews: keptReviews.map((r) => ({ ...r, trusted: isTrusted(r.author) })),
    leftOut: leftOut.map((c) => c.id),
    notes: [
      ...notes,
      ...edited.map(
        (c) =>
          `Comment ${c.id} by ${c.author.login} was edited after it woke you; you see it as it was then.`,
      ),
      ...leftOut.map(
        (c) =>
          `Comment ${c.id} by ${c.author.login} is left out: it was written or edited after you were woken.`,
      ),
      ...reviews
        .filter((r) => !keptReviews.includes(r))
        .map((r) => `A review by ${r.author.login} is left out: it was submitted after you were woken.`),
    ],
  };
}

/** By the forge's clock, as far as its events carry a time; a CI run may have none. */
function wokenAt(messages: readonly CarriedMessage[]): number {
  const times = messages
    .map(({ event }) => Date.parse(event.occurredAt))
    .filter((time) => !Number.isNaN(time));
  const known = times.length > 0 ? times : messages.map((m) => m.receivedAt);
  return known.reduce((latest, time) => Math.max(latest, time), 0);
}

/**
 * The forge's times are whole seconds, so the second of the trigger itself counts as later. A new comment by somebody
 * who could have woken the agent is read with the rest; an edit is not even then, because it does not say who made it.
 */
function isAsItWas(comment: Comment, woken: number, { isTrusted, isOurs }: ScreenRequest): boolean {
  if (Date.parse(comment.updatedAt) < woken || isOurs(comment.author)) return true;
  return isTrusted(comment.author) && !isEdited(comment);
}

/** Creating a comment may take until the next second. */
function isEdited(comment: Comment): boolean {
  return Date.parse(comment.updatedAt) - Date.parse(comment.createdAt) > 1000;
}

/** The text of comments that woke the agent, as it was accepted; the newest where there are several. */
function pinnedComments(messages: readonly CarriedMessage[]): Map<number, string> {
  return new Map(
    messages.flatMap(({ event }) => (event.comment === null ? [] : [[event.comment.id, event.comment.body]])),
  );
}

/** Title and description as the newest event had them. Our own pull requests are described anew by the service. */
function pinnedItem({ item, messages, isTrusted, isOurs }: ScreenRequest): {
  item: Screened<Item>;
  notes: string[];
} {
  const trusted = isTrusted(item.author);
  const event = messages
    .map((m) => m.event)
    .filter((e) => e.ci === null && e.item?.number === item.number)
    .toSorted((a, b) => (Date.parse(a.occurredAt) || 0) - (Date.parse(b.occurredAt) || 0))
    .at(-1);
  if (event?.item == null || isOurs(item.author)) return { item: { ...item, trusted }, notes: [] };
  const { title, body } = event.item;
  const changed = [
    ...(sameText(title, item.title) ? [] : ['title']),
    ...(sameText(body, item.body) ? [] : ['description']),
  ];
  const notes = changed.map(
    (what) => `The ${what} was edited after you were woken; you see it as it was then.`,
  );
  return { item: { ...item, title, body, trusted }, notes };
}

function sameText(a: string, b: string): boolean {
  return a.replace(/\r\n?/g, '\n').trim() === b.replace(/\r\n?/g, '\n').trim();
}
