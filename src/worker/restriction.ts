/** Whether a run gets fewer tools because of whose words it reads. Pure. */
import { strangersOf, type Voice, voiceOf } from '../voices.ts';
import type { CarriedMessage } from './messages.ts';
import type { ItemText } from './pinned-text.ts';

/** What of an item's texts counts; all of it comes from the screening. */
type ReadTexts = Pick<ItemText, 'item' | 'comments' | 'reviews' | 'vouching'>;

/**
 * Why the agent may only read and comment: text by somebody who could not have woken it stands in its prompt, or did in
 * an earlier one of the conversation. null = no such text.
 */
export function restrictionOf(
  text: ReadTexts,
  messages: readonly CarriedMessage[],
  repository: { fullName: string },
): string | null {
  const woke = new Set(messages.map(({ event }) => event.sender.id));
  const names = strangersIn(text, (author) => woke.has(author.id), messages);
  return names.length === 0
    ? null
    : `text by ${listed(names)}, who may not wake agents in ${repository.fullName}, is part of this run`;
}

/** Logins of those whose text nobody vouches for, in order of appearance. */
export function strangersIn(
  text: ReadTexts,
  isExcused: (author: { id: number }) => boolean = () => false,
  messages: readonly CarriedMessage[] = [],
): string[] {
  const names = piecesOf(text, messages)
    .filter((piece) => !piece.voice.trusted && piece.text.trim() !== '')
    .flatMap(({ voice }) =>
      strangersOf({ ...voice, strangers: voice.strangers.filter((s) => !isExcused(s)) }),
    );
  return [...new Set(names)];
}

interface Piece {
  text: string;
  voice: Voice;
}

/** Every piece of text by somebody we can name that a prompt of this item may hold. */
function piecesOf(
  { item, comments, reviews, vouching }: ReadTexts,
  messages: readonly CarriedMessage[],
): Piece[] {
  return [
    { text: item.title, voice: item.titleVoice },
    { text: item.body, voice: item.voice },
    ...comments.map((c) => ({ text: c.body, voice: c.voice })),
    ...reviews.flatMap((r) => [
      { text: r.body, voice: r.voice },
      ...r.inline.map((c) => ({ text: `${c.path}${c.body}`, voice: c.voice })),
    ]),
    // A comment that woke the agent stands in the prompt even if it is gone from the forge by now.
    ...messages.flatMap(({ event: { comment } }) =>
      comment === null
        ? []
        : [{ text: comment.body, voice: voiceOf(vouching, { what: 'comment', authors: [comment.author] }) }],
    ),
  ];
}

const MOST_NAMES = 5;

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
