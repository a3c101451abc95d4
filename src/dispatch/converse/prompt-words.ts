/** Whose words a prompt shows: every part of what a skill may print. Pure. */
import type { Spoken } from '../../broker/scope.ts';
import { filesOf, titleOf } from '../../broker/spoken.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
import { strangersOf, type Voice } from '../../voices.ts';
import type { DispatchContext } from '../screen/context.ts';
import type { ChosenTexts } from './chosen.ts';

/**
 * What each part of a prompt's context is. A part that is missing here fails `prompt-words.test.ts`: whoever adds one
 * says whose words it can hold.
 * - `words`: somebody's text, which marks the session where nobody vouches for them
 * - `commits`: made by whoever pushes to the pull request's branch
 * - `fixed`: ours, the forge's own words, numbers and times, or names of few letters that the forge limits (logins)
 * - `writers`: only people who may write in the repository make it
 */
export const PROMPT_PARTS: Readonly<Record<string, 'words' | 'commits' | 'fixed' | 'writers'>> = {
  ...each('fixed', 'event', [
    'name',
    'forge',
    'semanticKey',
    'occurredAt',
    'mentions[]',
    'requestedReviewer',
  ]),
  ...each('fixed', 'event.repository', ['id', 'fullName', 'cloneUrl', 'htmlUrl', 'private']),
  'event.repository.defaultBranch': 'writers',
  ...each('fixed', 'event.sender', ['id', 'login']),
  ...itemParts('event.item'),
  ...pullParts('event.pull'),
  ...each('fixed', 'event.comment', ['id', 'htmlUrl', 'author.id', 'author.login']),
  'event.comment.body': 'words',
  'event.review.verdict': 'fixed',
  'event.review.body': 'words',
  ...each('fixed', 'event.ci', ['status', 'headSha', 'htmlUrl']),
  'event.ci.workflow': 'commits',
  ...each('writers', 'event.push', ['ref', 'before', 'after']),
  'event.added.assignees[]': 'fixed',
  'event.added.labels[]': 'writers',
  ...itemParts('item'),
  ...each('fixed', 'item', ['trusted', 'updatedAt']),
  ...pullParts('item.pull'),
  ...pullParts('pull'),
  ...each('fixed', 'comments[]', [
    'id',
    'author.id',
    'author.login',
    'createdAt',
    'updatedAt',
    'htmlUrl',
    'trusted',
  ]),
  'comments[].body': 'words',
  ...each('fixed', 'reviews[]', ['id', 'author.id', 'author.login', 'verdict', 'commitId', 'known']),
  ...each('fixed', 'reviews[]', ['submittedAt', 'updatedAt', 'trusted']),
  'reviews[].body': 'words',
  ...each('fixed', 'reviews[].inline[]', ['id', 'line', 'oldLine', 'createdAt', 'updatedAt', 'trusted']),
  ...each('fixed', 'reviews[].inline[]', ['author.id', 'author.login']),
  // The line, and what it replies to: another remark, with the same parts.
  ...each('fixed', 'reviews[].inline[]', ['at']),
  'reviews[].inline[].replyTo': 'words',
  'reviews[].inline[].path': 'commits',
  'reviews[].inline[].body': 'words',
  // Titles, names of jobs and of branches stand in these sentences; each is a part of its own above.
  'changes[]': 'words',
  ...each('fixed', 'agent', ['name', 'login']),
  ...each('fixed', 'conversation', ['exists', 'dispatches', 'branch', 'itemNumber']),
  branch: 'fixed',
  with: 'fixed',
};

function each<K extends string>(kind: K, of: string, names: readonly string[]): Record<string, K> {
  return Object.fromEntries(names.map((name) => [`${of}.${name}`, kind]));
}

function itemParts(of: string) {
  return {
    ...each('fixed', of, ['kind', 'number', 'state', 'htmlUrl', 'author.id', 'author.login']),
    ...each('fixed', of, ['assignees[]']),
    ...each('words', of, ['title', 'body']),
    ...each('writers', of, ['labels[]']),
  };
}

function pullParts(of: string) {
  return {
    ...each('fixed', of, [
      'headSha',
      'baseSha',
      'merged',
      'draft',
      'fork',
      'requestedReviewers[]',
      'htmlUrl',
    ]),
    ...each('commits', of, ['headRef', 'headRepository']),
    ...each('writers', of, ['baseRef']),
  };
}

type Texts = Pick<ChosenTexts, 'item' | 'comments' | 'reviews' | 'messages'>;

export function wordsOfPrompt(
  { item, comments, reviews, messages }: Texts,
  { checkedOut }: Pick<DispatchContext, 'checkedOut'>,
): Spoken[] {
  const { author, number } = item;
  return [
    ...said(item.titleVoice, { author, number, place: `title of #${number}`, text: item.title }),
    ...said(item.voice, { author, number, place: `description of #${number}`, text: item.body }),
    ...filesOf(item),
    ...(checkedOut === null ? [] : filesOf(checkedOut)),
    // guard: marks: what a prompt shows
    ...comments.flatMap(({ id, author: by, body: text, voice }) =>
      said(voice, { author: by, number, place: `comment ${id} on #${number}`, text }),
    ),
    ...reviews.flatMap((review) => wordsOfReview(review, number)),
    ...messages.flatMap(({ event }) => wordsOfEvent(event)),
  ];
}

function wordsOfReview(review: Texts['reviews'][number], number: number): Spoken[] {
  const { id, author, body, voice, inline } = review;
  const remarks = inline.flatMap((one) => [one, ...(one.replyTo === null ? [] : [one.replyTo])]);
  return [
    ...said(voice, { author, number, place: `review ${id} on #${number}`, text: body }),
    ...remarks.flatMap((one) =>
      said(one.voice, {
        author: one.author,
        number,
        place: `inline comment ${one.id} on #${number}`,
        text: one.body,
      }),
    ),
  ];
}

/** A comment is its sender's words; the item it stands on may be somebody else's. */
function wordsOfEvent(event: ForgeEvent): Spoken[] {
  const { item, pull, comment, review, sender } = event;
  const number = item?.number ?? null;
  const on = number === null ? 'an event' : `#${number}`;
  const isNamed = item !== null && item.title !== '';
  return [
    // A CI run names its pull request by its number alone, and then there is no text and no author.
    ...(isNamed ? [titleOf(item)] : []),
    ...(isNamed ? [{ ...titleOf(item), place: `description of ${on}`, text: item.body }] : []),
    ...(isNamed && pull !== null ? filesOf({ ...item, pull }) : []),
    ...(comment === null
      ? []
      : [{ author: comment.author, number, place: `comment ${comment.id} on ${on}`, text: comment.body }]),
    ...(review === null ? [] : [{ author: sender, number, place: `a review on ${on}`, text: review.body }]),
  ];
}

/** Whose words a text is: its author's and its editors'. With an unknown editor it is nobody's who could be trusted. */
function said(voice: Voice, words: Spoken): Spoken[] {
  const editors = voice.strangers.filter(({ id }) => id !== words.author.id);
  const [unknown] = voice.perhapsEdited && voice.strangers.length === 0 ? strangersOf(voice) : [];
  return [
    words,
    ...editors.map((author) => ({ ...words, author })),
    ...(unknown === undefined ? [] : [{ ...words, author: { login: unknown, id: null } }]),
  ];
}
