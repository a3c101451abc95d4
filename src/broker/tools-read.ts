/** Reading items, comments and reviews: of the conversation's repository, which is no parameter. */
import { z } from 'zod';
import { commentText, itemLine, itemText, newestThatFit, OTHERS_WROTE, reviewText } from './quoted-texts.ts';
import { commentWords, filesOf, itemWords, reviewWords, titleOf } from './spoken.ts';
import { itemNumber, readTool, type Tool } from './tool.ts';

const skipNewest = z.coerce.number().int().min(0).max(10_000).default(0);
/** Of a text that is longer than one answer: the character to go on from. */
const from = z.coerce.number().int().min(0).max(1_000_000).default(0);
const one = z.coerce.number().int().positive().optional();
const MOST = 30;

export const READ_TOOLS: readonly Tool[] = [
  readTool({
    name: 'read_item',
    description:
      'Title, text and state of an issue or pull request of this repository; of a pull request also branches, head and CI. A long text is cut; from goes on in it.',
    input: { number: itemNumber, from },
    async read({ number, from: start }, { scope, deps, believed }) {
      const item = await deps.forge.getItem(scope.repository, number);
      const ci = item.pull === null ? null : await deps.forge.ciState(scope.repository, item.pull.headSha);
      const text = await itemText(item, { ci, from: start, vouching: await believed([item.author]) });
      return { text, words: itemWords(item) };
    },
  }),
  readTool({
    name: 'list_items',
    description: 'Newest issues and pull requests of this repository, one line each.',
    input: { state: z.enum(['open', 'closed', 'all']).default('open') },
    async read({ state }, { scope, deps, believed }) {
      const items = await deps.forge.listItems(scope.repository, { state, limit: MOST });
      const none = state === 'all' ? 'There are none.' : `None is ${state}.`;
      const vouching = await believed(items.map((item) => item.author));
      const lines = items.map((item) => itemLine(item, vouching));
      return {
        text: items.length === 0 ? none : [OTHERS_WROTE, ...lines].join('\n'),
        words: items.map(titleOf),
      };
    },
  }),
  readTool({
    name: 'list_comments',
    description: `Comments of an item with their ids, oldest first; the newest ${MOST}. skip_newest turns back further; id and from go on in a long one.`,
    input: { number: itemNumber, skip_newest: skipNewest, id: one, from },
    async read({ number, skip_newest: skip, id, from: start }, { scope, deps, believed }) {
      const comments = await deps.forge.listComments(scope.repository, number);
      const wanted = wantedOf(comments, { skip, id });
      const vouching = await believed(wanted.map((comment) => comment.author));
      const none = id === undefined ? 'There are no comments.' : `There is no comment ${id} here.`;
      const text = await newestThatFit(wanted, MOST, (comment) => commentText(comment, vouching, start));
      return {
        text: wanted.length === 0 ? none : text,
        words: wanted.slice(-MOST).flatMap((comment) => commentWords(comment, number, vouching)),
      };
    },
  }),
  readTool({
    name: 'list_reviews',
    description:
      'Submitted reviews of a pull request with their inline comments, oldest first. id and from go on in a long one.',
    input: { number: itemNumber, skip_newest: skipNewest, id: one, from },
    async read({ number, skip_newest: skip, id, from: start }, { scope, deps, believed }) {
      const [item, reviews] = await Promise.all([
        deps.forge.getItem(scope.repository, number),
        deps.forge.listReviews(scope.repository, number),
      ]);
      const wanted = wantedOf(reviews, { skip, id });
      const authors = wanted.flatMap((review) => [review, ...review.inline].map((entry) => entry.author));
      const vouching = await believed(authors);
      const none = id === undefined ? 'There are no reviews.' : `There is no review ${id} here.`;
      const text = await newestThatFit(wanted, MOST, (review) => reviewText(review, vouching, start));
      const shown = wanted.slice(-MOST);
      // Inline comments name files, which the pull request's own author has named.
      const files = shown.some((review) => review.inline.length > 0) ? filesOf(item) : [];
      return {
        text: wanted.length === 0 ? none : text,
        words: [...files, ...shown.flatMap((review) => reviewWords(review, number, vouching))],
      };
    },
  }),
];

function wantedOf<E extends { id: number }>(
  entries: readonly E[],
  { skip, id }: { skip: number; id: number | undefined },
): E[] {
  if (id !== undefined) return entries.filter((entry) => entry.id === id);
  return entries.slice(0, Math.max(0, entries.length - skip));
}
