/** Whose words an object of the forge holds. Pure. */
import type { Comment, Item, Review } from '../forges/forge.ts';
import type { EventItem, EventPull } from '../vocabulary.ts';
import type { Vouching } from '../voices.ts';
import type { Spoken } from './scope.ts';

/** Title, description and labels. (Labels are made and given by people who may write.) */
export function titleOf(item: EventItem): Spoken {
  const { author, number, title } = item;
  return { author, number, place: `title of #${number}`, text: title };
}

export function itemWords(item: Item): Spoken[] {
  const { author, number, body } = item;
  return [
    titleOf(item),
    { author, number, place: `description of #${number}`, text: body },
    ...filesOf(item),
  ];
}

/**
 * What the commits of a pull request bring: files, their names, branch, commit messages, and what CI does with them.
 * Branches of the repository itself are pushed by people who may write there, so these are the words of whoever opened
 * the pull request; to a fork anybody may push whom its owner lets.
 */
export function filesOf(item: {
  number: number;
  author: EventItem['author'];
  pull: EventPull | null;
}): Spoken[] {
  const { number, author, pull } = item;
  if (pull === null) return [];
  const about = { number, place: `commits of #${number}`, text: pull.headSha };
  // guard: marks: commits of a fork
  if (!pull.fork) return [{ ...about, author }];
  return [{ ...about, author: { login: `whoever pushes to ${pull.headRepository ?? 'a fork'}`, id: null } }];
}

/** The forge says that a text was edited but not by whom: it is believed only where everybody who may edit is believed. */
function withEditors(
  words: Spoken,
  text: { createdAt: string; updatedAt: string },
  writers: boolean,
): Spoken[] {
  if (text.createdAt === text.updatedAt || writers) return [words];
  const login = `whoever may have edited the text of ${words.author.login}`;
  return [words, { ...words, author: { login, id: null } }];
}

export function commentWords(
  comment: Comment,
  number: number,
  { writers }: Pick<Vouching, 'writers'>,
): Spoken[] {
  const { id, author, body: text } = comment;
  return withEditors({ author, number, place: `comment ${id} on #${number}`, text }, comment, writers);
}

/** Inline comments have their own authors. */
export function reviewWords(
  review: Review,
  number: number,
  { writers }: Pick<Vouching, 'writers'>,
): Spoken[] {
  const { id, author, body: text, inline } = review;
  return [
    { author, number, place: `review ${id} on #${number}`, text },
    ...inline.flatMap((one) => {
      const place = `inline comment ${one.id} on #${number}`;
      return withEditors({ author: one.author, number, place, text: one.body }, one, writers);
    }),
  ];
}
