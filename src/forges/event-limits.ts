/**
 * How long the texts of an event may be. The event is stored with every message it becomes and is read by conditions and
 * prompts; the whole text stays in the stored delivery and on the forge.
 */
import type { ForgeEvent } from '../vocabulary.ts';

/** Characters of a description, a comment or a review. */
export const EVENT_TEXT_LIMIT = 65_536;
/** Characters of a title. A forge's own limit is 255. */
const TITLE_LIMIT = 1000;
/** Characters of a login, a label, a branch or an address. These are not cut: a shortened name is another name. */
const NAME_LIMIT = 1000;
/** Labels, assignees, reviewers, mentions. */
const LIST_LIMIT = 1000;

/** The text as an event has it. Mentions after the cut are ignored, because the agent does not see them either. */
export function eventText(text: string): string {
  return cut(text, EVENT_TEXT_LIMIT);
}

/** Whether an event's text is the forge's text. Line ends and what was cut off are not compared. */
export function isEventTextOf(inEvent: string, onForge: string): boolean {
  const isCut = inEvent.length > EVENT_TEXT_LIMIT || onForge.length > EVENT_TEXT_LIMIT;
  const [a, b] = [inEvent, onForge].map((text) => (isCut ? text.slice(0, EVENT_TEXT_LIMIT - 1) : text));
  return plainLines(a!) === plainLines(b!);
}

function plainLines(text: string): string {
  return text.replace(/\r\n?/g, '\n').trim();
}

/** The event with its texts cut, or which of its names is too long. */
export function limitEvent(event: ForgeEvent): { event: ForgeEvent } | { problem: string } {
  const { item, comment, review } = event;
  const limited: ForgeEvent = {
    ...event,
    item: item && { ...item, title: cut(item.title, TITLE_LIMIT), body: eventText(item.body) },
    comment: comment && { ...comment, body: eventText(comment.body) },
    review: review && { ...review, body: eventText(review.body) },
    mentions: event.mentions.slice(0, LIST_LIMIT),
  };
  const problem = problemIn(limited);
  return problem === null ? { event: limited } : { problem };
}

function cut(text: string, limit: number): string {
  // guard: bodies: short texts in events
  if (text.length <= limit) return text;
  // Not between the two halves of a character.
  const end = text.codePointAt(limit - 1)! > 0xffff ? limit - 1 : limit;
  return `${text.slice(0, end)}\n\n[cut: ${text.length - end} more characters are on the forge]`;
}

function problemIn(event: ForgeEvent): string | null {
  for (const [where, value] of Object.entries(event)) {
    const problem = where === 'mentions' ? null : tooLong(where, value);
    if (problem !== null) return problem;
  }
  return null;
}

/** These were cut before. */
const TEXTS = new Set(['title', 'body']);

/** Recursion is safe: we made the event, and it is at most four levels deep. */
function tooLong(where: string, value: unknown): string | null {
  if (typeof value === 'string') {
    return value.length <= NAME_LIMIT
      ? null
      : `${where} has ${value.length} characters, more than ${NAME_LIMIT}`;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value) && value.length > LIST_LIMIT) {
    return `${where} has ${value.length} entries, more than ${LIST_LIMIT}`;
  }
  for (const [key, inner] of Object.entries(value)) {
    const problem = TEXTS.has(key) ? null : tooLong(Array.isArray(value) ? where : `${where}.${key}`, inner);
    if (problem !== null) return problem;
  }
  return null;
}
