/** Asks: what waits for a person. Each is a row of its own, so that it is listed, counted, and closed when it is answered. */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { AskRow } from '../database/feedback-tables.ts';
import type { ConversationRow } from '../database/tables.ts';
import type { AskKind } from '../vocabulary.ts';

export interface NewAsk {
  /** unique; the same one is opened once, also when it was answered since */
  key: string;
  kind: AskKind;
  conversation: Pick<ConversationRow, 'id' | 'forge' | 'repository_name' | 'item_number' | 'agent'>;
  dispatchId: string | null;
  /** plain words; ends with what to do */
  text: string;
  now: number;
}

export async function openAsk(rows: Rows, ask: NewAsk): Promise<void> {
  const { conversation } = ask;
  await rows
    .insertInto('asks')
    .values({
      id: randomUUID(),
      key: ask.key,
      kind: ask.kind,
      forge: conversation.forge,
      repository_name: conversation.repository_name,
      number: conversation.item_number,
      conversation_id: conversation.id,
      dispatch_id: ask.dispatchId,
      agent: conversation.agent,
      text: ask.text,
      state: 'open',
      opened_at: ask.now,
    })
    .onConflict((c) => c.column('key').doNothing())
    .execute();
}

export interface Closing {
  conversationId: string;
  /** left out = all kinds */
  kinds?: readonly AskKind[];
  by: string;
  now: number;
}

/** Closes what is open of a conversation, because somebody answered or it settled itself. Answers how many. */
export async function closeAsks(rows: Rows, { conversationId, kinds, by, now }: Closing): Promise<number> {
  let query = rows
    .updateTable('asks')
    .set({ state: 'answered', closed_at: now, closed_by: by })
    .where('conversation_id', '=', conversationId)
    .where('state', '=', 'open');
  if (kinds !== undefined) query = query.where('kind', 'in', [...kinds]);
  const { numUpdatedRows } = await query.executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Closes those whose key begins so, but for one: what they asked about went on without an answer. */
export async function closeAsksOf(
  rows: Rows,
  { prefix, except, by, now }: { prefix: string; except: string | null; by: string; now: number },
): Promise<void> {
  await rows
    .updateTable('asks')
    .set({ state: 'answered', closed_at: now, closed_by: by })
    .where('key', '>=', prefix)
    .where('key', '<', `${prefix}~`)
    .where('key', '!=', except ?? '')
    .where('state', '=', 'open')
    .execute();
}

/** A person has seen it and wants nothing more of it. False when it was closed already. */
export async function dismissAsk(rows: Rows, ask: { id: string; by: string; now: number }): Promise<boolean> {
  const { numUpdatedRows } = await rows
    .updateTable('asks')
    .set({ state: 'dismissed', closed_at: ask.now, closed_by: ask.by })
    .where('id', '=', ask.id)
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Open ones, oldest first. */
export async function openAsks(rows: Rows, limit: number): Promise<AskRow[]> {
  return await rows
    .selectFrom('asks')
    .selectAll()
    .where('state', '=', 'open')
    .orderBy('seq')
    .limit(limit)
    .execute();
}
