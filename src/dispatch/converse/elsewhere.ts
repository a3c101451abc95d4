/**
 * A dispatch that several items woke: what stands on each, and where its answer goes. The service adds this and not the
 * skill, because an operator's own skill may not know of it.
 */
import type { PromptForm } from '../../agent-runner/run.ts';
import type { Words } from '../../config/words.ts';
import type { PromptContext, PromptReview } from '../../flows/prompt.ts';
import { kindName } from '../../item-key.ts';
import { answerLine } from '../../outcome/answer-parts.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import type { DispatchContext } from '../screen/context.ts';

/** What is new on another item than the one that the prompt begins with; the full form has its description, too. */
export function elsewhereText(one: PromptContext, form: PromptForm): string {
  const { item, messages, changes, comments, reviews } = one;
  const kind = kindName(item.kind);
  const fence = (words: Words) => words.fenced(undefined);
  const listed = new Set([
    ...comments.map(({ id }) => id),
    ...reviews.flatMap(({ inline }) => inline.map(({ id }) => id)),
  ]);
  const carried = messages.flatMap(({ event }) =>
    event.comment === null || listed.has(event.comment.id) ? [] : [event.comment.body],
  );
  return [
    [
      `You were also woken on ${kind} #${item.number}, ${item.title.oneLine()} (${item.state}):`,
      ...messages.map(({ event }) => `- ${event.sender.login.oneLine()}: ${event.name}`),
      ...changes.map((change) => `- ${change}`),
    ].join('\n'),
    ...(form === 'full' && item.body.size > 0 ? [fence(item.body)] : []),
    ...[...comments.map(({ body }) => body), ...carried].map(fence),
    ...reviews.flatMap(wordsOfReview).map(fence),
  ].join('\n\n');
}

function wordsOfReview({ known, body, inline }: PromptReview): Words[] {
  const remarks = inline.flatMap((one) => [...(one.replyTo === null ? [] : [one.replyTo.body]), one.body]);
  return known || body.size === 0 ? remarks : [body, ...remarks];
}

/** Whether somebody waits for words on the item: a run of CI or a push does not. */
function asks({ ci, name }: ForgeEvent): boolean {
  return ci === null && name !== 'pull.synchronized' && name !== 'push';
}

/** The items whose people are answered, the one with the most urgent message first. */
export function answeredItems(messages: readonly CarriedMessage[], first: number): [number, ...number[]] {
  const numbers = new Set(
    messages.flatMap(({ event }) => (asks(event) ? [event.item?.number ?? first] : [])),
  );
  numbers.delete(first);
  return [first, ...numbers];
}

export function answersNote({ messages, item }: Pick<DispatchContext, 'messages' | 'item'>): string[] {
  const [first, ...others] = answeredItems(messages, item.number);
  if (others.length === 0) return [];
  const lines = [first, ...others].map((number) => `\`${answerLine(number)}\``).join(', ');
  return [
    `You were asked in ${1 + others.length} places, and your final answer is posted in each. Write one part for each place, ` +
      `under a line of its own: ${lines}. Say in each what was asked there. What stands before the first of these lines ` +
      `goes to #${first}; a place without a part gets a link to the answer.`,
  ];
}
