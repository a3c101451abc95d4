/**
 * What a run may read of an item: the text that was there when somebody with permission woke the agent. A stranger
 * must not be able to change it between that moment and the run. Each piece also gets its voice here, and only here:
 * whose words it is. Pure.
 */
import type { Comment, InlineComment, Item, Review } from '../../forges/forge.ts';
import { isSameItem } from '../../item-key.ts';
import type { ForgeEvent, ForgeUser } from '../../vocabulary.ts';
import { accountOf, type Voice, type Vouching, voiceOf } from '../../voices.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import type { ToldEdits } from './edits.ts';

/** `trusted`: its author, and whoever edited it, may wake agents here, or is one of ours. */
export type Screened<T> = T & { trusted: boolean; voice: Voice };
export type ScreenedItem = Screened<Item> & { titleVoice: Voice };
export type ScreenedReview = Screened<Omit<Review, 'inline'>> & { inline: Screened<InlineComment>[] };

export interface ItemText {
  /** `voice` is the description's */
  item: ScreenedItem;
  comments: Screened<Comment>[];
  reviews: ScreenedReview[];
  vouching: Vouching;
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
  vouching: Vouching;
  /** the edits of the item and of its comments that we were told of, oldest first, besides those in `messages` */
  edits: ToldEdits;
  /** whether one of our own accounts wrote it: what our agents edit, they edit for us */
  isOurs: (author: { id: number; login: string }) => boolean;
}

export function screenTexts(request: ScreenRequest): ItemText {
  const { comments, vouching, messages } = request;
  const carried = messages.map((m) => m.event).filter(isEdit);
  const edits = { ...request.edits, events: [...request.edits.events, ...carried] };
  const woken = wokenAt(messages);
  const moment = { ...request, edits, editors: editorsOf(edits), woken, pinned: pinnedTexts(messages) };
  const kept = comments.filter((c) => moment.pinned.has(c.id) || isAsItWas(c, moment));
  const keptIds = new Set(kept.map((c) => c.id));
  const leftOut = comments.filter((c) => !keptIds.has(c.id));
  const reviews = screenReviews(moment);
  const { item, notes } = pinnedItem(moment);
  const name = (author: ForgeUser) => accountOf(author, vouching);
  return {
    item,
    comments: kept.map((c) => screened(c, 'comment', moment)),
    reviews: reviews.kept,
    vouching,
    leftOut: leftOut.map((c) => c.id),
    notes: [
      ...notes,
      ...kept.filter((c) => wasEdited(c, moment)).map((c) => editedNote('Comment', c, vouching)),
      ...leftOut.map(
        (c) =>
          `Comment ${c.id} by ${name(c.author)} is left out: it was written or edited after you were woken.`,
      ),
      ...reviews.notes,
    ],
  };
}

interface Moment extends ScreenRequest {
  woken: number;
  /** the text of comments that woke the agent, as it was accepted */
  pinned: Map<number, string>;
  /** of each edited comment; the author of an edit is its sender */
  editors: Map<number, ForgeUser[]>;
}

function editedNote(what: string, { id, author }: Comment | InlineComment, vouching: Vouching): string {
  return `${what} ${id} by ${accountOf(author, vouching)} was edited after it woke you; you see it as it was then.`;
}

/** By the forge's clock, as far as its events carry a time; a CI run may have none. */
function wokenAt(messages: readonly CarriedMessage[]): number {
  const times = messages
    .map(({ event }) => Date.parse(event.occurredAt))
    .filter((time) => !Number.isNaN(time));
  const known = times.length > 0 ? times : messages.map((m) => m.receivedAt);
  return known.reduce((latest, time) => Math.max(latest, time), 0);
}

interface Dated {
  author: ForgeUser;
  createdAt: string;
  updatedAt: string;
}

/**
 * The forge's times are whole seconds, so the second of the trigger itself counts as later. A new comment by somebody
 * who could have woken the agent is read with the rest; an edit is not even then, because it does not say who made it.
 */
function isAsItWas(comment: Dated, { woken, vouching, isOurs }: Moment): boolean {
  if (Date.parse(comment.updatedAt) < woken || isOurs(comment.author)) return true;
  // guard: trust: edited after the trigger
  return vouching.ids.has(comment.author.id) && !isEdited(comment);
}

/** Creating a comment may take until the next second. */
function isEdited(comment: Dated): boolean {
  return Date.parse(comment.updatedAt) - Date.parse(comment.createdAt) > 1000;
}

/** The newest where there are several. */
function pinnedTexts(messages: readonly CarriedMessage[]): Map<number, string> {
  return new Map(
    messages.flatMap(({ event }) => (event.comment === null ? [] : [[event.comment.id, event.comment.body]])),
  );
}

function editorsOf({ events }: ToldEdits): Map<number, ForgeUser[]> {
  const editors = new Map<number, ForgeUser[]>();
  for (const { comment, sender } of events) {
    if (comment !== null) editors.set(comment.id, [...(editors.get(comment.id) ?? []), sender]);
  }
  return editors;
}

function isEdit({ name }: ForgeEvent): boolean {
  return name.endsWith('.edited');
}

function wasEdited({ id, body }: { id: number; body: string }, { pinned }: Moment): boolean {
  return pinned.has(id) && !sameText(body, pinned.get(id)!);
}

function screened<T extends Dated & { id: number; body: string }>(
  entry: T,
  what: string,
  { pinned, vouching, editors: all }: Moment,
): Screened<T> {
  const editors = all.get(entry.id) ?? [];
  const voice = voiceOf(vouching, {
    what,
    authors: [entry.author, ...editors],
    editorUnknown: isEdited(entry) && editors.length === 0,
    created: entry.createdAt,
    edited: isEdited(entry) ? entry.updatedAt : '',
  });
  return { ...entry, body: pinned.get(entry.id) ?? entry.body, trusted: voice.trusted, voice };
}

/**
 * A review and the remarks in it are looked at one by one. A draft has the time it was begun: what stands in it was
 * to be read from the review's submission on, so a stranger's remarks are no older than that.
 */
function screenReviews(moment: Moment): { kept: ScreenedReview[]; notes: string[] } {
  const { reviews, vouching, woken, pinned } = moment;
  const kept: ScreenedReview[] = [];
  const notes: string[] = [];
  for (const review of reviews) {
    // guard: voices: a draft is as old as its submission
    const isNew = !(Date.parse(review.updatedAt || review.submittedAt) < woken);
    const isOut = isNew && !vouching.ids.has(review.author.id);
    // A stranger's review is left out with the stranger's own remarks; remarks of others in it stay.
    const among = review.inline.filter(
      (c) => !(isOut && c.author.id === review.author.id) || pinned.has(c.id),
    );
    // guard: voices: pinned remarks
    const inline = among.filter((c) => pinned.has(c.id) || isAsItWas(c, moment));
    const ids = new Set(inline.map((c) => c.id));
    const missing = among.filter((c) => !ids.has(c.id));
    const by = accountOf(review.author, vouching);
    if (isOut) notes.push(`A review by ${by} is left out: it was submitted after you were woken.`);
    notes.push(
      ...inline.filter((c) => wasEdited(c, moment)).map((c) => editedNote('Inline comment', c, vouching)),
      ...missing.map(
        (c) =>
          `Inline comment ${c.id} by ${accountOf(c.author, vouching)} is left out: it was written or edited after you were woken.`,
      ),
    );
    if (isOut && inline.length === 0) continue;
    kept.push(screenReview({ ...review, body: isOut ? '' : review.body, inline }, moment));
  }
  return { kept, notes };
}

function screenReview(review: Review, moment: Moment): ScreenedReview {
  const voice = voiceOf(moment.vouching, {
    what: 'review',
    authors: [review.author],
    created: review.submittedAt,
  });
  const inline = review.inline.map((c) => screened(c, 'inline comment', moment));
  return { ...review, trusted: voice.trusted, voice, inline };
}

/** Title and description as the newest event had them. Our own pull requests are described anew by the service. */
function pinnedItem({ item, messages, vouching, edits, isOurs }: Moment): {
  item: ScreenedItem;
  notes: string[];
} {
  const about = messages
    .map((m) => m.event)
    .filter((e) => e.ci === null && e.item !== null && isSameItem(e.item, item));
  const event = about
    .toSorted((a, b) => (Date.parse(a.occurredAt) || 0) - (Date.parse(b.occurredAt) || 0))
    .at(-1);
  const voices = itemVoices(item.author, edits, vouching);
  if (event?.item == null || isOurs(item.author)) return { item: { ...item, ...voices }, notes: [] };
  const { title, body } = event.item;
  const changed = [
    ...(sameText(title, item.title) ? [] : ['title']),
    ...(sameText(body, item.body) ? [] : ['description']),
  ];
  const notes = changed.map(
    (what) => `The ${what} was edited after you were woken; you see it as it was then.`,
  );
  // guard: trust: title and description as they were
  return { item: { ...item, title, body, ...voices }, notes };
}

/**
 * Nothing in the API says who edited a description, or that it was edited at all: an edit before the hook was there is
 * not known. Both texts count as edited by the sender of each edit we were told of, because the event does not always
 * say which of the two it changed.
 */
export function itemVoices(
  author: ForgeUser,
  { events, incomplete }: ToldEdits,
  vouching: Vouching,
): { trusted: boolean; voice: Voice; titleVoice: Voice } {
  const editors = events.filter((e) => e.comment === null).map((e) => e.sender);
  const said = { authors: [author, ...editors], editorUnknown: incomplete };
  const voice = voiceOf(vouching, { ...said, what: 'description' });
  return { trusted: voice.trusted, voice, titleVoice: voiceOf(vouching, { ...said, what: 'title' }) };
}

function sameText(a: string, b: string): boolean {
  return a.replace(/\r\n?/g, '\n').trim() === b.replace(/\r\n?/g, '\n').trim();
}
