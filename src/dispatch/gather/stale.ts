/** Messages that say nothing any more by the time their dispatch reads the forge. Pure. */
import { isSameItem, printItem } from '../../item-key.ts';
import type { DispatchContext, ItemShown } from './context.ts';
import { type CarriedMessage, leadingOf } from './messages.ts';

/**
 * The context without stale messages; they are settled with the dispatch, but do not stand in its prompt.
 * `replayed`: ids of messages an operator asked for again, which are never stale.
 */
export function withoutStale(context: DispatchContext, replayed: ReadonlySet<string>): DispatchContext {
  const items: ItemShown[] = [context, ...context.elsewhere];
  const itemOf = ({ event }: CarriedMessage) => event.item ?? context.item;
  const messages = context.messages.filter((message) => {
    const shown = items.find(({ item }) => isSameItem(item, itemOf(message)));
    return shown === undefined || replayed.has(message.id) || !isStale(message, shown);
  });
  const leading = leadingOf(messages);
  if (leading === null) return { ...context, messages, leading, elsewhere: [] };
  // The item that led may have had none but stale ones.
  const main = items.find(({ item }) => isSameItem(item, itemOf(leading))) ?? context;
  const left = new Set(messages.map((message) => printItem(itemOf(message))));
  const elsewhere = items.filter((one) => one.item !== main.item && left.has(printItem(one.item)));
  const { item, comments, reviews, vouching, notes, seen, snapshot } = main;
  const shown = { item, comments, reviews, vouching, notes, seen, snapshot };
  return { ...context, ...shown, messages, leading, elsewhere };
}

function isStale({ event }: CarriedMessage, { item, seen }: ItemShown): boolean {
  if (event.item === null || !isSameItem(event.item, item)) return false;
  // A comment can be read from the forge before its delivery arrives; the run that read it has answered it.
  // guard: late messages carried, read comments known, part 2
  if (event.name === 'comment.created') {
    const { commentIds = [], inlineIds = [] } = seen ?? {};
    return [...commentIds, ...inlineIds].includes(event.comment!.id);
  }
  // CI of a commit that is no longer the head says nothing; a payload shows the head of when the run began.
  return event.ci !== null && item.pull !== null && event.ci.headSha !== item.pull.headSha;
}
