/**
 * The third step of the resume ladder: what was chosen is done. Files are moved first and rows are written after them,
 * so a crash at any point leaves something that the next survey finds, and the ladder can be climbed again.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { abandonSession, newestSession, proposeSession } from '../sessions.ts';
import type { Continuity } from '../vocabulary.ts';
import { dropArchived } from './archive.ts';
import type { Choice, GoOn, Place, Rebuild, StartAgain } from './choose.ts';
import { createCliFolders, transcriptPath } from './folders.ts';
import type { LadderRequest } from './ladder-request.ts';
import {
  fetchCompanions,
  gatherStrays,
  putInPlace,
  replaceArchived,
  restoreCompanions,
  setAside,
  setAsideConfig,
} from './placement.ts';
import { digest, preambleOf, synthesiseTranscript } from './rebuild.ts';
import type { Survey } from './survey.ts';
import { headOf, historyMessages, readTranscript, type Tail } from './transcript.ts';

/** A session that a run can begin with: its row is committed and its files are where the CLI looks. */
export interface PreparedSession {
  session: SessionRow;
  /** `new` passes the id as a new session's, `resume` resumes it */
  start: 'new' | 'resume';
  /** uuid to cut the history at; null = no cut */
  resumeAt: string | null;
  continuity: Continuity;
  reason: string;
  evidence: Record<string, unknown>;
  /** what the last run on this session left behind its head */
  tail: Tail;
  /** tool calls that this dispatch has begun, by our record; after a crash the history may lack them */
  begun: string[];
  /** the record as text, to stand before the prompt */
  preamble: string | null;
  /** turns that the model will see before the prompt */
  history: number;
  /** what made the last answer in them; null = not known, or written by us */
  model: string | null;
}

export async function apply(
  database: Database,
  request: LadderRequest,
  { found, choice }: { found: Survey; choice: Choice },
): Promise<PreparedSession> {
  createCliFolders(request.folders);
  if (found.isConfigBroken) await setAsideConfig(request.folders.config);
  switch (choice.step) {
    case 'go-on':
      return asResumed(choice, await goOn(database, request, choice));
    case 'start-again':
      return asNew(choice, {
        session: await startAgain(database, request, choice),
        preamble: preambleOf(choice.exchanges),
      });
    case 'start-fresh':
      return asNew(choice, { session: await propose(database, request, choice), preamble: null });
    case 'rebuild':
      return await rebuild(database, request, { found, choice });
  }
}

/** Field by field: a run lasts long, and the bytes of the copies can be many. */
function asResumed(
  { continuity, reason, evidence, begun, tail, resumeAt, history, model }: Choice & GoOn,
  session: SessionRow,
): PreparedSession {
  const start = 'resume';
  const known = { continuity, reason, evidence, begun, tail, resumeAt, history, model };
  return { ...known, session, start, preamble: null };
}

function asNew(
  { continuity, reason, evidence, begun }: Choice,
  of: Pick<PreparedSession, 'session' | 'preamble'>,
): PreparedSession {
  return {
    ...of,
    continuity,
    reason,
    evidence,
    begun,
    start: 'new',
    resumeAt: null,
    tail: { kind: 'nothing' },
    history: 0,
    model: null,
  };
}

async function goOn(
  database: Database,
  request: LadderRequest,
  { session: known, place, use, bytes }: GoOn,
): Promise<SessionRow> {
  const session = await moveFiles(database, request, { known, place });
  if (use.from === 'archive' || use.isMended) await putInPlace(session, bytes);
  if (use.from === 'archive') await restoreCompanions(database, session);
  if (request.archive && use.isArchiveReplaced) await replaceArchived(database, session, bytes);
  return session;
}

/** The state folder may have moved since the last run, or the transcript into another project folder. */
async function moveFiles(
  database: Database,
  { folders }: LadderRequest,
  { known, place }: { known: SessionRow; place: Place },
): Promise<SessionRow> {
  const session = { ...known, config_folder: folders.config };
  if (place.isFormer) {
    await putInPlace(session, place.copy.bytes!);
    await fetchCompanions(known, session);
  }
  if (known.config_folder !== session.config_folder) {
    await database.transaction((tx) =>
      tx
        .updateTable('sessions')
        .set({ config_folder: session.config_folder })
        .where('id', '=', session.id)
        .execute(),
    );
  }
  await gatherStrays(session, place);
  return session;
}

async function startAgain(
  database: Database,
  request: LadderRequest,
  { session: known, place, use }: StartAgain,
): Promise<SessionRow> {
  const session = await moveFiles(database, request, { known, place });
  const path = transcriptPath(session.id);
  if (use !== null && request.archive) {
    await database.transaction((tx) => dropArchived(tx, session.conversation_id, path));
  }
  // Only the unanswered prompt itself is thrown away. What could not be used is kept for `sessions diagnose`.
  if (use?.from === 'disk' && !use.isMended) await rm(join(session.config_folder, path), { force: true });
  else await setAside(session);
  return session;
}

async function propose(
  database: Database,
  request: LadderRequest,
  { reason }: Pick<Choice, 'reason'>,
): Promise<SessionRow> {
  return await database.transaction(async (tx) =>
    proposeSession(tx, {
      conversationId: request.conversationId,
      configFolder: request.folders.config,
      synthesised: false,
      follows: await newestSession(tx, request.conversationId),
      reason,
      now: request.now,
    }),
  );
}

async function rebuild(
  database: Database,
  request: LadderRequest,
  { found, choice }: { found: Survey; choice: Choice & Rebuild },
): Promise<PreparedSession> {
  const { exchanges, form, place } = choice;
  if (place !== null) await moveFiles(database, request, { known: found.session!, place });
  const { session, bytes } = await replaceSession(database, request, choice);
  if (form === 'digest') return asNew(choice, { session, preamble: digest(exchanges) });
  await putInPlace(session, bytes);
  return {
    ...asNew(choice, { session, preamble: null }),
    start: 'resume',
    history: historyMessages(readTranscript(bytes)),
  };
}

/** The lost session is given up and its successor proposed in one transaction: the chain always has an end. */
async function replaceSession(
  database: Database,
  request: LadderRequest,
  { reason, form, exchanges }: Choice & Rebuild,
): Promise<{ session: SessionRow; bytes: Uint8Array }> {
  return await database.transaction(async (tx) => {
    const last = await newestSession(tx, request.conversationId);
    if (last !== null) await abandonSession(tx, last.id, reason);
    const proposed = await proposeSession(tx, {
      conversationId: request.conversationId,
      configFolder: request.folders.config,
      synthesised: form === 'synthesised',
      follows: last === null ? null : { ...last, state: 'abandoned' },
      reason,
      now: request.now,
    });
    if (form === 'digest') return { session: proposed, bytes: new Uint8Array() };
    const bytes = synthesiseTranscript({ ...request, sessionId: proposed.id, exchanges });
    // The head of what we wrote: what the CLI appends after it belongs to this run.
    const written = { head: headOf(readTranscript(bytes)), size: bytes.length };
    await tx.updateTable('sessions').set(written).where('id', '=', proposed.id).execute();
    return { session: { ...proposed, ...written }, bytes };
  });
}
