/**
 * How much of other people's text goes into one prompt. Anybody may write comments, as long and as many as they like;
 * none of that may make a request that the model cannot take. What woke the agent is shown first, then the newest; what
 * has no room is named, and the agent can read it with the forge's tools.
 */
import { type Shown, shownText, stripHiddenText } from '../../security/hidden-text.ts';
import { addRemoved, describeRemoved, nothingRemoved, type Removed } from '../../security/removed.ts';
import { beginningOf, endOf, LONGEST_TO_SHOW } from '../../text-limits.ts';
import { loginOf } from '../../voices.ts';
import type { DispatchContext } from '../screen/context.ts';

/** Of one text: its beginning, and its end, where a log tells what went wrong. */
const LONGEST_BEGINNING = 12_000;
const LONGEST_END = 4_000;
/** Of all texts of a prompt. A character may cost more than a token, and the window is the session's as well. */
export const PROMPT_BUDGETS = {
  whole: 120_000,
  /** for a model that did not take the whole */
  small: 12_000,
};
/** Of one text of a small prompt: its beginning, and its end. */
const SMALL_BEGINNING = 1_500;
const SMALL_END = 500;
/** For a message that woke the agent when even those have no room. */
const SHORTEST_SHARE = 400;
/** Characters looked at for one prompt: text that is hidden costs time although it takes no room. */
const MOST_LOOKED_AT = 4 << 20;
/** Of a text that has no time left, only so much. */
const GLANCE = 4_096;
const MOST_NAMED = 20;

/** The texts of one dispatch as people see them on the forge, cut to a length that can be shown. */
export interface ShownTexts {
  /** a description, a comment, a review */
  body(text: string): string;
  /** what was taken out of these texts, in a sentence; null: nothing */
  removedFrom(bodies: readonly string[]): string | null;
}

interface Prepared extends Shown {
  isCut: boolean;
}

export async function readTexts(context: DispatchContext): Promise<ShownTexts> {
  const { messages } = context;
  const texts = new Map<string, Prepared>();
  let lookedAt = 0;
  const prepare = async (text: string): Promise<void> => {
    if (text === '' || texts.has(keyOf(text))) return;
    const most = lookedAt > MOST_LOOKED_AT ? GLANCE : LONGEST_TO_SHOW;
    const looked = beginningOf(text, most);
    lookedAt += looked.length;
    const shown = await shownText(looked);
    texts.set(keyOf(text), { ...shown, ...cutInTheMiddle(shown.text, looked.length === most) });
  };
  for (const { event } of messages.toReversed()) {
    for (const part of [event.comment, event.review]) if (part !== null) await prepare(part.body);
  }
  for (const { item } of [context, ...context.elsewhere]) await prepare(item.body);
  for (const { event } of messages.toReversed()) if (event.item !== null) await prepare(event.item.body);
  for (const { comments, reviews } of [context, ...context.elsewhere]) {
    for (const comment of comments.toReversed()) await prepare(comment.body);
    for (const review of reviews.toReversed()) {
      await prepare(review.body);
      for (const remark of review.inline) await prepare(remark.body);
    }
  }
  return {
    // A text that was not prepared is read while we wait, so only its beginning.
    body: (text) => texts.get(keyOf(text))?.text ?? stripHiddenText(beginningOf(text, GLANCE)),
    removedFrom: (bodies) => describeRemoved(sum(bodies, texts)),
  };
}

/** Texts with the same beginning and length are shown alike. */
function keyOf(text: string): string {
  return `${text.length} ${beginningOf(text, LONGEST_TO_SHOW)}`;
}

function sum(bodies: readonly string[], texts: ReadonlyMap<string, Prepared>): Removed {
  const all = nothingRemoved();
  for (const body of new Set(bodies)) addRemoved(all, texts.get(keyOf(body))?.removed ?? nothingRemoved());
  return all;
}

/** Each text cut to a length that fits where the whole did not. */
export function shortened(texts: ShownTexts): ShownTexts {
  return {
    ...texts,
    body: (text) => {
      const body = texts.body(text);
      const missing = body.length - SMALL_BEGINNING - SMALL_END;
      return missing <= 0
        ? body
        : `${beginningOf(body, SMALL_BEGINNING)}\n${CUT} ${missing} characters are left out here]\n${endOf(body, SMALL_END)}`;
    },
  };
}

/** `goesOn`: there is more behind it that nobody has looked at. */
function cutInTheMiddle(text: string, goesOn: boolean): { text: string; isCut: boolean } {
  const missing = text.length - LONGEST_BEGINNING - LONGEST_END;
  // guard: texts: one text cut in its middle
  if (missing <= 0 && !goesOn) return { text, isCut: false };
  if (missing <= 0) return { text: `${text}\n${CUT} the rest is too long to be shown]`, isCut: true };
  const more = goesOn ? ', and all behind the first 64 KiB,' : '';
  const end = goesOn ? '' : `\n${endOf(text, LONGEST_END)}`;
  const count = goesOn ? text.length - LONGEST_BEGINNING : missing;
  return {
    text: `${beginningOf(text, LONGEST_BEGINNING)}\n${CUT} ${count} characters${more} are left out here]${end}`,
    isCut: true,
  };
}

const CUT = '[cut by claude-hooks:';
const HOW_TO_GO_ON =
  'A text with a line "[cut by claude-hooks: …]" is longer than what you see. Where it matters, go on in it with ' +
  '`mcp__forge__read_item` (`from`) for a description, `mcp__forge__list_comments` or `list_reviews` (`id`, `from`) for others.';

function isAnyCut({ item, comments, reviews, messages }: Budgeted): boolean {
  const isCut = (part: { body: string } | null) => part?.body.includes(CUT) ?? false;
  return (
    isCut(item) ||
    comments.some(isCut) ||
    reviews.some((r) => isCut(r) || r.inline.some(isCut)) ||
    messages.some(({ event }) => isCut(event.comment) || isCut(event.review))
  );
}

interface Entry {
  id: number;
  author: { login: string };
  body: string;
  trusted?: boolean;
}

/** What a prompt is made of, as far as its length is other people's choice. Bodies are those of `ShownTexts`. */
export interface Budgeted {
  item: { number: number; body: string };
  comments: readonly Entry[];
  reviews: readonly (Entry & {
    inline: readonly { path: string; body: string; replyTo?: { body: string } | null }[];
  })[];
  messages: readonly {
    event: {
      item: { body: string } | null;
      comment: { id: number; body: string } | null;
      review: { body: string } | null;
    };
  }[];
}

/**
 * The same with what fits, and sentences about the rest. `hasItem`: the form shows the description. `budget`: the part of
 * this item, where the prompt is about several.
 */
export function withinBudget<T extends Budgeted>(
  all: T,
  hasItem: boolean,
  budget: number = PROMPT_BUDGETS.whole,
): { shown: T; notes: string[] } {
  const woke = new Set(all.messages.flatMap((m) => (m.event.comment === null ? [] : [m.event.comment.id])));
  const room = new Room(budget);
  const bodies = new Map<number, string>();
  // The newest that woke the agent first; each of the others keeps its first words.
  for (const { event } of all.messages.toReversed()) {
    if (event.comment !== null && !bodies.has(event.comment.id)) {
      bodies.set(event.comment.id, room.share(event.comment.body));
    }
  }
  const messages = all.messages
    .toReversed()
    .map((message) => ({ message, review: room.shareOf(message.event.review) }));
  const body = hasItem ? room.share(all.item.body) : beginningOf(all.item.body, SHORTEST_SHARE);
  // guard: texts: what woke the agent is shown
  const comments = newestThatFit(all.comments, room, (c) => (woke.has(c.id) ? 0 : c.body.length));
  const reviews = newestThatFit(all.reviews, room, (r) => lengthOfReview(r));
  const shown = {
    ...all,
    item: { ...all.item, body },
    comments: comments.fitting.map((c) => ({ ...c, body: bodies.get(c.id) ?? c.body })),
    reviews: reviews.fitting,
    messages: messages
      .toReversed()
      .map(({ message, review }) => withBodies(message, { bodies, review, body })),
  };
  const notes = [
    ...(isAnyCut(shown) ? [HOW_TO_GO_ON] : []),
    ...named('comments', comments.left, `list_comments\` (number ${all.item.number})`),
    ...named('reviews', reviews.left, `list_reviews\` (number ${all.item.number})`),
  ];
  return { shown: shown as T, notes };
}

function lengthOfReview({ body, inline }: Budgeted['reviews'][number]): number {
  return inline.reduce(
    (sum, remark) => sum + remark.body.length + remark.path.length + (remark.replyTo?.body.length ?? 0),
    body.length,
  );
}

function withBodies(
  { event, ...rest }: Budgeted['messages'][number],
  { bodies, review, body }: { bodies: ReadonlyMap<number, string>; review: string; body: string },
) {
  return {
    ...rest,
    event: {
      ...event,
      item: event.item === null ? null : { ...event.item, body: beginningOf(event.item.body, body.length) },
      comment: event.comment === null ? null : { ...event.comment, body: bodies.get(event.comment.id) ?? '' },
      review: event.review === null ? null : { ...event.review, body: review },
    },
  };
}

class Room {
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  /** For what is shown in any case: whole while there is room, then its first words. */
  share(text: string): string {
    const fits = text.length <= this.#left;
    const shown = fits
      ? text
      : `${beginningOf(text, SHORTEST_SHARE)}\n${CUT} this prompt has no room for the rest]`;
    this.#left -= shown.length;
    return shown;
  }

  shareOf(part: { body: string } | null): string {
    return part === null ? '' : this.share(part.body);
  }

  takes(length: number): boolean {
    // guard: texts: budget of a prompt
    if (length > this.#left) return false;
    this.#left -= length;
    return true;
  }
}

/** Once a text does not fit, all older ones are left out: a discussion with gaps misleads. */
function newestThatFit<E>(
  entries: readonly E[],
  room: Room,
  lengthOf: (entry: E) => number,
): { fitting: E[]; left: E[] } {
  let first = entries.length;
  while (first > 0 && room.takes(lengthOf(entries[first - 1]!))) first -= 1;
  const older = entries.slice(0, first);
  const woke = older.filter((entry) => lengthOf(entry) === 0);
  return {
    fitting: [...woke, ...entries.slice(first)],
    left: older.filter((entry) => lengthOf(entry) > 0),
  };
}

function named(what: string, entries: readonly Entry[], tool: string): string[] {
  if (entries.length === 0) return [];
  const listed = entries.slice(-MOST_NAMED).map(({ id, author, body, trusted }) => {
    const by = `${loginOf(author)}${trusted === false ? ' (not trusted)' : ''}`;
    return `${id} by ${by} (${body.length} characters)`;
  });
  const more = entries.length - listed.length;
  const rest = more > 0 ? `${more} more and ` : '';
  return [
    `There was no room for ${entries.length} older ${what}: ${rest}${listed.join(', ')}. Read them with \`mcp__forge__${tool} where they matter.`,
  ];
}
