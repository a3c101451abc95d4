/** Whether a run gets fewer tools because of whose words it reads. Pure. */
import type { CarriedMessage } from './messages.ts';
import type { ItemText } from './pinned-text.ts';

/**
 * Why the agent may only read and comment: text by somebody who could not have woken it stands in its prompt, or did in
 * an earlier one of the conversation. null = no such text.
 */
export function restrictionOf(
  text: Pick<ItemText, 'item' | 'comments' | 'reviews'>,
  messages: readonly CarriedMessage[],
  repository: { fullName: string },
): string | null {
  const woke = new Set(messages.map(({ event }) => event.sender.id));
  const names = strangersIn(text, (author) => woke.has(author.id));
  return names.length === 0
    ? null
    : `text by ${listed(names)}, who may not wake agents in ${repository.fullName}, is part of this run`;
}

/** Logins of those whose text nobody vouches for, in order of appearance. */
export function strangersIn(
  { item, comments, reviews }: Pick<ItemText, 'item' | 'comments' | 'reviews'>,
  isExcused: (author: { id: number }) => boolean = () => false,
): string[] {
  const written = [
    { ...item, text: `${item.title}${item.body}` },
    ...comments.map((c) => ({ ...c, text: c.body })),
    ...reviews.map((r) => ({ ...r, text: [r.body, ...r.inline.map((i) => i.body)].join('') })),
  ];
  const strangers = written.filter((w) => !w.trusted && w.text.trim() !== '' && !isExcused(w.author));
  return [...new Set(strangers.map((w) => w.author.login))];
}

const MOST_NAMES = 5;

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
