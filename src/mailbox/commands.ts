/**
 * What people tell us to do with a conversation, from a comment or from the command line. Each is done once: its row and
 * what it does are one transaction.
 */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { CommandVerb } from '../vocabulary.ts';
import { closeAsks } from './asks.ts';
import { cancelWork } from './cancelling.ts';
import type { ActOn, Commanded, CommandResult } from './command.ts';
import { costOf, explainConversation } from './command-answers.ts';
import { holdConversation, resumeConversation } from './command-holds.ts';
import { retryWork } from './retrying.ts';

/** Null: it was done before, because the same event came again. */
export async function carryOut(tx: Rows, command: Commanded): Promise<CommandResult | null> {
  const id = randomUUID();
  const row = await tx
    .insertInto('commands')
    .values({
      id,
      cause: command.cause,
      ordinal: command.ordinal,
      verb: command.word,
      argument: command.argument,
      asked_by: command.by,
      source: command.source,
      state: 'done',
      answer: '',
      at: command.now,
    })
    // guard: commands: done once
    .onConflict((c) => c.columns(['cause', 'ordinal']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) return null;
  const result = await act(tx, command);
  await tx
    .updateTable('commands')
    .set({ state: result.done ? 'done' : 'refused', answer: result.answer })
    .where('id', '=', id)
    .execute();
  return result;
}

async function act(tx: Rows, command: Commanded): Promise<CommandResult> {
  const { verb, conversations } = command;
  if (verb === null) return refuse(`${UNKNOWN} ${KNOWN}`);
  if (conversations.length === 0) {
    return refuse('No agent has worked here yet, so there is nothing to tell it. Assign one, or mention it.');
  }
  const results: CommandResult[] = [];
  for (const conversation of conversations) {
    const result = await ACTS[verb](tx, { ...command, conversation });
    const several = conversations.length > 1;
    results.push(several ? { ...result, answer: `${conversation.agent}: ${result.answer}` } : result);
  }
  const done = results.some((result) => result.done);
  // Where one of several agents had nothing to do, what was done for the others is the answer.
  const told = results.filter((result) => result.done === done);
  return {
    done,
    answer: told.map(({ answer }) => answer).join('\n\n'),
    isAsked: told.some((r) => r.isAsked),
  };
}

const UNKNOWN = 'I do not know this command.';
const KNOWN =
  'I know `/claude hold`, `resume`, `cancel`, `retry`, `fresh`, `explain`, `say …` and `cost`, each at the start of a line.';

type Act = (tx: Rows, on: ActOn) => Promise<CommandResult>;

const ACTS: Readonly<Record<CommandVerb, Act>> = {
  hold: holdConversation,
  resume: resumeConversation,
  cancel: async (tx, { conversation, by, now }) => {
    const { stopped, dropped } = await cancelWork(tx, { conversation, by, now });
    await closeAsks(tx, { conversationId: conversation.id, by, now });
    if (stopped) return did('I stop. My checkout stays as it is. `/claude retry` lets me go on.');
    return dropped
      ? did('I do not begin what was waiting. `/claude retry` lets me begin it after all.')
      : refuse('Nothing runs or waits here, so there is nothing to cancel.');
  },
  retry: async (tx, { conversation, by, now }) => {
    const retried = await retryWork(tx, { conversation, now });
    if (retried === 'running') return refuse('I am at work here. `/claude cancel` stops me.');
    if (retried === 'nothing') {
      return refuse('Nothing here failed, was cancelled or waits. Write what you want, and I do it.');
    }
    await closeAsks(tx, { conversationId: conversation.id, by, now });
    return did('I try again.');
  },
  fresh: async (tx, { conversation, by }) => {
    await tx
      .updateTable('conversations')
      .set({ fresh_asked: by })
      .where('id', '=', conversation.id)
      .execute();
    return did('My next run begins a new session, without what I remember of this one. The checkout stays.');
  },
  explain: async (tx, on) => asked(await explainConversation(tx, on)),
  cost: async (tx, { conversation }) => asked(await costOf(tx, conversation)),
  // The comment itself is the message: the router gives it to the mailbox as any other comment.
  say: async (_tx, { argument }) =>
    argument === '' ? refuse('Write what you want to say behind it: `/claude say …`.') : did('I read it.'),
};

function did(answer: string): CommandResult {
  return { done: true, answer, isAsked: false };
}

function asked(answer: string): CommandResult {
  return { done: true, answer, isAsked: true };
}

function refuse(answer: string): CommandResult {
  return { done: false, answer, isAsked: false };
}
