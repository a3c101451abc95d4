/** Messages that say nothing any more by the time their dispatch reads the forge. Pure. */
import { isSameItem, printItem } from '../../item-key.ts';
import { type CarriedMessage, leadingOf } from '../gather/messages.ts';
import type { ItemShown, Prepared } from './context.ts';

/**
 * The dispatch without stale messages; they are settled with it, but do not stand in its prompt. What an operator asked
 * for again is never stale.
 */
export function withoutStale(dispatch: Prepared): Prepared {
  const { context, replayed } = dispatch;
  const items: ItemShown[] = [context, ...context.elsewhere];
  const itemOf = ({ event }: CarriedMessage) => event.item ?? context.item;
  const messages = context.messages.filter((message) => {
    const shown = items.find(({ item }) => isSameItem(item, itemOf(message)));
    return shown === undefined || replayed.has(message.id) || !isStale(message, shown);
  });
  const leading = leadingOf(messages);
  if (leading === null) {
    return { ...dispatch, messages, context: { ...context, messages, leading, elsewhere: [] } };
  }
  // All messages of the leading item may have been stale.
  const main = items.find(({ item }) => isSameItem(item, itemOf(leading))) ?? context;
  const left = new Set(messages.map((message) => printItem(itemOf(message))));
  const elsewhere = items.filter((one) => one.item !== main.item && left.has(printItem(one.item)));
  const { item, comments, reviews, vouching, notes, seen, snapshot } = main;
  const shown = { item, comments, reviews, vouching, notes, seen, snapshot };
  return { ...dispatch, messages, context: { ...context, ...shown, messages, leading, elsewhere } };
}

function isStale({ event }: CarriedMessage, { item, seen }: ItemShown): boolean {
  if (event.item === null || !isSameItem(event.item, item)) return false;
  // The run before may have read the comment from the forge before its delivery came, and has answered it then.
  // guard: late messages carried, read comments known, part 2
  if (event.name === 'comment.created') {
    const { commentIds = [], inlineIds = [] } = seen ?? {};
    return [...commentIds, ...inlineIds].includes(event.comment!.id);
  }
  // A result of CI on a commit that is no longer the head does not matter any more.
  return event.ci !== null && item.pull !== null && event.ci.headSha !== item.pull.headSha;
}
