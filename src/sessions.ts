/**
 * Which Claude session a conversation is in. The sessions of one conversation form a chain; the newest that is
 * proposed or verified is the current one.
 *
 * The id is ours: committed before the CLI is spawned, handed to it, and never taken from what it says. It counts as
 * resumable only when its transcript was seen to hold the last answer (`verified`).
 */
import { randomUUID } from 'node:crypto';
import type { Rows } from './database/database.ts';
import type { SessionRow } from './database/tables.ts';
import { inheritMarks } from './sessions/marks.ts';

export async function currentSession(rows: Rows, conversationId: string): Promise<SessionRow | null> {
  const newest = await newestSession(rows, conversationId);
  return newest !== null && (newest.state === 'proposed' || newest.state === 'verified') ? newest : null;
}

export async function newestSession(rows: Rows, conversationId: string): Promise<SessionRow | null> {
  const row = await rows
    .selectFrom('sessions')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .orderBy('ordinal', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export interface Proposal {
  conversationId: string;
  configFolder: string;
  /** 1 when we wrote its transcript from the record */
  synthesised: boolean;
  /** the session it follows, which becomes `replaced` (an abandoned one stays abandoned) */
  follows: SessionRow | null;
  reason: string;
  now: number;
}

/**
 * Commits a new id at the end of the chain. Call in a transaction together with whatever depends on it. The marks of
 * the session it follows go along: history, record, CLI folder and checkout do, and each can hold the words.
 */
export async function proposeSession(tx: Rows, proposal: Proposal): Promise<SessionRow> {
  const session: SessionRow = {
    id: randomUUID(),
    conversation_id: proposal.conversationId,
    ordinal: (proposal.follows?.ordinal ?? 0) + 1,
    state: 'proposed',
    reason: null,
    replaced_by: null,
    head: null,
    size: 0,
    failed_resumes: 0,
    synthesised: proposal.synthesised ? 1 : 0,
    told_of_memory: 0,
    instructions_digest: null,
    cli_version: null,
    config_folder: proposal.configFolder,
    created_at: proposal.now,
    verified_at: null,
  };
  await tx.insertInto('sessions').values(session).execute();
  if (proposal.follows !== null) {
    const abandoned = proposal.follows.state === 'abandoned';
    await tx
      .updateTable('sessions')
      .set({ replaced_by: session.id, ...(abandoned ? {} : { state: 'replaced', reason: proposal.reason }) })
      .where('id', '=', proposal.follows.id)
      .execute();
    // guard: marks: go on in the session that follows
    await inheritMarks(tx, proposal.follows.id, session.id);
  }
  return session;
}

export interface Verification {
  sessionId: string;
  /** uuid of the last answer, seen in the transcript on disk */
  head: string;
  size: number;
  cliVersion: string | null;
  now: number;
}

/** Call it in the transaction that stores the answer: neither the head nor the answer may exist without the other. */
export async function verifySession(tx: Rows, verification: Verification): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({
      state: 'verified',
      head: verification.head,
      size: verification.size,
      failed_resumes: 0,
      cli_version: verification.cliVersion,
      verified_at: verification.now,
    })
    .where('id', '=', verification.sessionId)
    .where('state', 'in', ['proposed', 'verified'])
    .execute();
}

/** For good: nothing makes an abandoned session current again. */
export async function abandonSession(tx: Rows, sessionId: string, reason: string): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ state: 'abandoned', reason })
    .where('id', '=', sessionId)
    .where('state', 'in', ['proposed', 'verified'])
    .execute();
}

/** Answers how often this session has failed to resume since its last success, this time included. */
export async function countFailedResume(rows: Rows, sessionId: string): Promise<number> {
  const { failed_resumes } = await rows
    .updateTable('sessions')
    .set((e) => ({ failed_resumes: e('failed_resumes', '+', 1) }))
    .where('id', '=', sessionId)
    .returning('failed_resumes')
    .executeTakeFirstOrThrow();
  return failed_resumes;
}

export interface NewIncident {
  conversationId: string;
  dispatchId: string;
  sessionId: string;
  rung: string;
  reason: string;
  evidence: Record<string, unknown>;
  now: number;
}

/** Continuity broke, or had to be mended. `conversations` and `sessions diagnose` show it. */
export async function recordIncident(rows: Rows, incident: NewIncident): Promise<void> {
  await rows
    .insertInto('incidents')
    .values({
      id: randomUUID(),
      conversation_id: incident.conversationId,
      dispatch_id: incident.dispatchId,
      session_id: incident.sessionId,
      rung: incident.rung,
      reason: incident.reason,
      evidence: JSON.stringify(incident.evidence),
      at: incident.now,
    })
    .execute();
}
