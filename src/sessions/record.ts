/**
 * Our own record of a conversation: what was asked, what was done and what was answered, written as it streams. A
 * rebuilt session starts from it, and it is what a person reads.
 */
import type { Rows } from '../database/database.ts';
import type { TurnRow } from '../database/tables.ts';

export interface NewTurn {
  dispatchId: string;
  conversationId: string;
  kind: TurnRow['kind'];
  content: string;
  uuid: string | null;
  now: number;
}

/** Longest content kept of one turn; a tool's input can be a whole file, and the transcript has it all. */
const LONGEST_CONTENT = 20_000;

export async function recordTurn(rows: Rows, turn: NewTurn): Promise<void> {
  await rows
    .insertInto('turns')
    .values({
      dispatch_id: turn.dispatchId,
      conversation_id: turn.conversationId,
      kind: turn.kind,
      content: shorten(turn.content, LONGEST_CONTENT),
      uuid: turn.uuid,
      at: turn.now,
    })
    .execute();
}

/** Whether this text of the dispatch came to us while it ran; one that only the transcript has did not. */
export async function wasHeard(
  rows: Rows,
  text: { conversationId: string; dispatchId: string; uuid: string },
): Promise<boolean> {
  const turn = await rows
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', text.conversationId)
    .where('dispatch_id', '=', text.dispatchId)
    .where('kind', '=', 'text')
    .where('uuid', '=', text.uuid)
    .executeTakeFirst();
  return turn !== undefined;
}

/** One dispatch as the record has it. */
export interface Exchange {
  dispatchId: string;
  prompt: string;
  /** tool calls, one line each */
  actions: string[];
  answer: string | null;
}

/** Only asked: a run that was stopped, or refused, before its first reply. */
export function isEmpty({ answer, actions }: Exchange): boolean {
  return answer === null && actions.length === 0;
}

/** The conversation's exchanges, oldest first. A prompt repeated by a retry of the same dispatch counts once. */
export async function readRecord(rows: Rows, conversationId: string): Promise<Exchange[]> {
  const turns = await rows
    .selectFrom('turns')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .orderBy('seq')
    .execute();
  const exchanges = new Map<string, Exchange>();
  for (const turn of turns) {
    const exchange = exchanges.get(turn.dispatch_id) ?? {
      dispatchId: turn.dispatch_id,
      prompt: '',
      actions: [],
      answer: null,
    };
    exchanges.set(turn.dispatch_id, exchange);
    if (turn.kind === 'prompt' && !exchange.prompt.includes(turn.content)) {
      exchange.prompt = exchange.prompt === '' ? turn.content : `${exchange.prompt}\n\n${turn.content}`;
    }
    if (turn.kind === 'tool') exchange.actions.push(shorten(turn.content, 300));
    if (turn.kind === 'answer') exchange.answer = turn.content;
  }
  return [...exchanges.values()];
}

export function shorten(text: string, longest: number): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)} … [${text.length - longest} characters more]`;
}
