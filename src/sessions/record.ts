/**
 * Our own record of a conversation: what was asked, what was done and what was answered, written as it streams. A
 * rebuilt session starts from it, and it is what a person reads.
 */
import type { Rows } from '../database/database.ts';
import type { TurnRow } from '../database/tables.ts';
import type { SaidTurn } from './said.ts';

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

/** What was said at the session's terminal, and the last of it as the answer. */
export async function recordSaid(
  tx: Rows,
  {
    said,
    by,
    ...turn
  }: Omit<NewTurn, 'kind' | 'content' | 'uuid'> & { said: readonly SaidTurn[]; by: string },
): Promise<void> {
  for (const { kind, content, uuid } of said) {
    const whose = kind === 'prompt' ? `${by}, at your own terminal: ${content}` : content;
    await recordTurn(tx, { ...turn, kind, content: whose, uuid });
  }
  const last = said.findLast(({ kind }) => kind === 'text');
  if (last !== undefined) await recordTurn(tx, { ...turn, ...last, kind: 'answer' });
}

/** One dispatch as the record has it. */
export interface Exchange {
  dispatchId: string;
  prompt: string;
  /** tool calls, one line each */
  actions: string[];
  answer: string | null;
}

/** The run was stopped, or refused, before its first reply. */
export function isEmpty({ answer, actions }: Exchange): boolean {
  return answer === null && actions.length === 0;
}

/** Everything that is recorded of a conversation, oldest first. */
export async function readTurns(rows: Rows, conversationId: string): Promise<TurnRow[]> {
  return await rows
    .selectFrom('turns')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .orderBy('seq')
    .execute();
}

/**
 * The texts that came to us while the dispatch ran, by the uuids of their lines. A text that only the transcript has is
 * not among them.
 */
export function heardIn(turns: readonly TurnRow[], dispatchId: string | null): ReadonlySet<string> {
  const heard = turns.filter((t) => t.dispatch_id === dispatchId && t.kind === 'text');
  return new Set(heard.map((t) => t.uuid).filter((uuid) => uuid !== null));
}

/** The conversation's exchanges, oldest first. A prompt repeated by a retry of the same dispatch counts once. */
export function exchangesOf(turns: readonly TurnRow[]): Exchange[] {
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
