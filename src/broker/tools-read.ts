/** Reading items, comments and reviews: of the conversation's repository, which is no parameter. */
import { z } from 'zod';
import { commentText, itemLine, itemText, newestThatFit, OTHERS_WROTE, reviewText } from './texts.ts';
import { itemNumber, readTool, type Tool } from './tool.ts';

const skipNewest = z.coerce.number().int().min(0).max(10_000).default(0);
const MOST = 30;

export const READ_TOOLS: readonly Tool[] = [
  readTool({
    name: 'read_item',
    description:
      'Title, text and state of an issue or pull request of this repository; of a pull request also branches, head and CI.',
    input: { number: itemNumber },
    async read({ number }, { scope, deps, hasRead }) {
      const item = await deps.forge.getItem(scope.repository, number);
      const ci = item.pull === null ? null : await deps.forge.ciState(scope.repository, item.pull.headSha);
      await hasRead([item.author]);
      return itemText(item, ci);
    },
  }),
  readTool({
    name: 'list_items',
    description: 'Newest issues and pull requests of this repository, one line each.',
    input: { state: z.enum(['open', 'closed', 'all']).default('open') },
    async read({ state }, { scope, deps, hasRead }) {
      const items = await deps.forge.listItems(scope.repository, { state, limit: MOST });
      if (items.length === 0) return state === 'all' ? 'There are none.' : `None is ${state}.`;
      await hasRead(items.map((item) => item.author));
      return [OTHERS_WROTE, ...items.map(itemLine)].join('\n');
    },
  }),
  readTool({
    name: 'list_comments',
    description: `Comments of an item with their ids, oldest first; the newest ${MOST}. skip_newest turns back further.`,
    input: { number: itemNumber, skip_newest: skipNewest },
    async read({ number, skip_newest: skip }, { scope, deps, hasRead }) {
      const comments = await deps.forge.listComments(scope.repository, number);
      const wanted = comments.slice(0, Math.max(0, comments.length - skip));
      await hasRead(wanted.map((comment) => comment.author));
      return wanted.length === 0 ? 'There are no comments.' : newestThatFit(wanted.map(commentText), MOST);
    },
  }),
  readTool({
    name: 'list_reviews',
    description: 'Submitted reviews of a pull request with their inline comments, oldest first.',
    input: { number: itemNumber, skip_newest: skipNewest },
    async read({ number, skip_newest: skip }, { scope, deps, hasRead }) {
      const reviews = await deps.forge.listReviews(scope.repository, number);
      const wanted = reviews.slice(0, Math.max(0, reviews.length - skip));
      await hasRead(wanted.map((review) => review.author));
      return wanted.length === 0 ? 'There are no reviews.' : newestThatFit(wanted.map(reviewText), MOST);
    },
  }),
];
