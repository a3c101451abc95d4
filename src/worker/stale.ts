/** Messages that say nothing any more by the time their dispatch reads the forge. Pure. */
import type { Snapshot } from '../flows/changes.ts';
import type { DispatchContext } from './context.ts';
import { type CarriedMessage, leadingOf } from './messages.ts';

export interface Known {
  /** the item as the last answered dispatch saw it */
  seen: Snapshot | null;
  /** ids of messages an operator asked for again: never stale */
  replayed: ReadonlySet<string>;
}

/** The context without stale messages; they are settled with the dispatch, but do not stand in its prompt. */
export function withoutStale(context: DispatchContext, known: Known): DispatchContext {
  const messages = context.messages.filter((m) => !isStale(m, context, known));
  return { ...context, messages, leading: leadingOf(messages) };
}

function isStale(message: CarriedMessage, { item }: DispatchContext, known: Known): boolean {
  const { event } = message;
  if (known.replayed.has(message.id) || event.item?.number !== item.number) return false;
  // A comment can be read from the forge before its delivery arrives; the run that read it has answered it.
  if (event.name === 'comment.created') {
    const { commentIds = [], inlineIds = [] } = known.seen ?? {};
    return [...commentIds, ...inlineIds].includes(event.comment!.id);
  }
  // CI of a commit that is no longer the head says nothing; a payload shows the head of when the run began.
  return event.ci !== null && item.pull !== null && event.ci.headSha !== item.pull.headSha;
}
