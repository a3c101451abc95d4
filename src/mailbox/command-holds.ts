/** `hold` and `resume` of one conversation, and what people are told of a hold. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { plainTime } from '../plain-time.ts';
import type { ActOn, CommandResult } from './command.ts';
import { conversationScope, type Hold, holdsOn, liftHold, placeHold } from './holds.ts';

export async function holdConversation(
  tx: Rows,
  { conversation, argument, by, now }: ActOn,
): Promise<CommandResult> {
  await placeHold(tx, {
    scope: conversationScope(conversation),
    reason: argument === '' ? `${by} asked for it` : argument,
    until: null,
    by: { kind: 'person', name: by },
    now,
  });
  const answer =
    'I begin nothing more here until somebody writes `/claude resume`. What runs goes on; `/claude cancel` stops it.';
  return { done: true, answer, isAsked: false };
}

export async function resumeConversation(tx: Rows, { conversation, by, now }: ActOn): Promise<CommandResult> {
  const person = { kind: 'person' as const, name: by };
  const { lifted } = await liftHold(tx, { scope: conversationScope(conversation), by: person, now });
  const others = await holdSentences(tx, conversation, now);
  if (lifted.length > 0) {
    return { done: true, answer: ['I go on here.', ...others].join(' '), isAsked: others.length > 0 };
  }
  const answer =
    others.length > 0 ? others.join(' ') : 'Nothing held me here. Write what you want, and I do it.';
  return { done: false, answer, isAsked: false };
}

/** What holds this conversation up; of a usage limit only one of the whole credential, because rows name no model. */
export async function holdSentences(
  rows: Rows,
  conversation: ConversationRow,
  now: number,
): Promise<string[]> {
  const holds = await holdsOn(rows, { ...conversation, model: null }, now);
  return holds.map(holdSentence);
}

/** By whom, until when, and how it ends. The reasons that the service notes are the operator's, and not said here. */
export function holdSentence(hold: Hold): string {
  const until = hold.until === null ? null : plainTime(Number(hold.until));
  switch (hold.by_kind) {
    case 'person':
      return personSentence(hold, until);
    case 'limit':
      return `A usage limit of the model holds me up${until === null ? '' : ` until ${until}`}. I go on by myself when it is over.`;
    case 'budget':
      return `My budget for this is spent${until === null ? '' : `; I go on by myself at ${until}`}. The operator can raise it with \`claude-hooks budget raise\`.`;
    case 'dependency':
      return dependencySentence(hold.reason);
    case 'court':
      return 'I was paused, because this went round in circles without getting further. `/claude resume` lets me go on.';
  }
}

/** Begins the reason of a hold by a cycle; the cycle itself is named by a comment of its own. */
export const WAITS_FOR_ITSELF = 'waits for itself';

/** This reason names nothing that people there may not see. */
function dependencySentence(reason: string): string {
  return reason.startsWith(WAITS_FOR_ITSELF)
    ? 'I do not begin yet: this waits for itself, by way of others. Take one of the dependencies out, and I begin by myself.'
    : `I do not begin yet: this ${reason}. I begin by myself when all of it is closed; \`/claude resume\` lets me begin now.`;
}

function personSentence({ by_name: name, reason, kind, at, until: end }: Hold, until: string | null): string {
  const who = name ?? 'The operator';
  const why = reason === '' || reason === `${who} asked for it` ? '' : ` (“${reason}”)`;
  const how =
    kind === 'conversation'
      ? '`/claude resume` in a comment lets me go on.'
      : 'The operator lets me go on with `claude-hooks resume`.';
  const begun = `On hold since ${plainTime(Number(at))}: ${who} asked for it${why}.`;
  return end === null ? `${begun} ${how}` : `${begun} I go on by myself at ${until}. ${how}`;
}
