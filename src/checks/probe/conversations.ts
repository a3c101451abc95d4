/**
 * The conversations of the smoke checks have a database of their own, so that operators do not see them among the work.
 * Each run leaves one conversation per agent for the next run to resume.
 */
import { randomUUID } from 'node:crypto';
import type { RunOutcome } from '../../agent-runner/run.ts';
import type { Database } from '../../database/database.ts';
import type { ConversationRow } from '../../database/tables.ts';
import { verifySession } from '../../sessions.ts';

const FORGE = 'smoke';

/** Oldest first: normally none or one. */
export async function leftConversations(database: Database, agent: string): Promise<ConversationRow[]> {
  return await database.rows
    .selectFrom('conversations')
    .selectAll()
    .where('agent', '=', agent)
    .where('forge', '=', FORGE)
    .orderBy('created_at')
    .execute();
}

/** `fact` is what the conversation was told; kept as the title. */
export async function createConversation(
  database: Database,
  of: { agent: string; fact: string; now: number },
): Promise<string> {
  const id = randomUUID();
  await database.rows
    .insertInto('conversations')
    .values({
      id,
      forge: FORGE,
      repository_id: id,
      repository_name: `smoke/${of.agent}`,
      agent: of.agent,
      item_number: 1,
      item_kind: 'issue',
      title: of.fact,
      branch: null,
      seen: null,
      created_at: of.now,
      updated_at: of.now,
      lease_worker: null,
      lease_token: 0,
      lease_until: 0,
    })
    .execute();
  return id;
}

export async function createDispatch(
  database: Database,
  of: { conversationId: string; agent: string; now: number },
): Promise<string> {
  const id = randomUUID();
  await database.rows
    .insertInto('dispatches')
    .values({
      id,
      conversation_id: of.conversationId,
      agent: of.agent,
      state: 'succeeded',
      reason: null,
      priority: 50,
      created_at: of.now,
      due_at: of.now,
      attempt: 1,
      worker: null,
      started_at: of.now,
      ended_at: of.now,
      session_id: null,
      continuity: null,
      prompt: null,
      carried: '[]',
      snapshot: null,
      answer: null,
      ending: null,
      history_messages: null,
      turns: null,
      usage: null,
    })
    .execute();
  return id;
}

/** As the worker does with an answer: only a verified session may be resumed. */
export async function storeOutcome(database: Database, outcome: RunOutcome, now: number): Promise<void> {
  if (outcome.kind !== 'answered' || outcome.verified === null) return;
  await verifySession(database.rows, { ...outcome.verified, now });
}

export async function dropConversation(database: Database, id: string): Promise<void> {
  await database.transaction(async (tx) => {
    for (const table of [
      'turns',
      'incidents',
      'sessions',
      'dispatches',
      'model_requests',
      'audit',
    ] as const) {
      await tx.deleteFrom(table).where('conversation_id', '=', id).execute();
    }
    await tx.deleteFrom('conversations').where('id', '=', id).execute();
  });
}
