/**
 * The resume ladder: reconciles the files on disk with the archive and decides how the next run begins. Each rung is
 * tried only when the ones above cannot hold, and names its reason.
 *
 *   resumed → restored → repaired → rebuilt (synthesised transcript, then digest) → refused
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { abandonSession, currentSession, newestSession, proposeSession } from '../sessions.ts';
import type { Continuity } from '../vocabulary.ts';
import { dropArchived, readArchived } from './archive.ts';
import {
  type Copy,
  describeCopies,
  diskCopy,
  gatherStrays,
  isUsable,
  judge,
  setAsideBrokenConfig,
  strayCopies,
} from './copies.ts';
import { type CliFolders, createCliFolders, transcriptPath } from './folders.ts';
import { fetchCompanions, putInPlace, replaceArchived, restoreCompanions, setAside } from './placement.ts';
import { digest, preambleOf, synthesiseTranscript } from './rebuild.ts';
import { type Exchange, isEmpty, readRecord, wasHeard } from './record.ts';
import {
  endBeforeUnanswered,
  headOf,
  historyMessages,
  modelOf,
  readTranscript,
  type Tail,
  tailAfter,
  withoutBadLines,
} from './transcript.ts';

/** How far down the ladder to begin: raised after a rung has been tried and failed in this run. */
export type Floor = 'resumed' | 'restored' | 'rebuilt' | 'digest';

export interface PlanRequest {
  conversationId: string;
  dispatchId: string;
  folders: CliFolders;
  cwd: string;
  model: string;
  cliVersion: string;
  /** false: the archive is neither read nor written */
  archive: boolean;
  /** `fresh` starts a new session on purpose, every time */
  policy: 'resume' | 'fresh';
  floor: Floor;
  /** why the floor was raised; null when it was not */
  floorReason: string | null;
  now: number;
}

export interface SessionPlan {
  session: SessionRow;
  /** `new` passes the id as a new session's, `resume` resumes it */
  start: 'new' | 'resume';
  /** uuid to cut the history at, so that a prompt without an answer is not sent twice */
  resumeAt: string | null;
  continuity: Continuity;
  reason: string;
  evidence: Record<string, unknown>;
  /** what the last run on this session left behind its head */
  tail: Tail;
  /** tool calls this dispatch has already begun, by our record: after a crash they may or may not be in the history */
  begun: string[];
  /** the record as text, to stand before the prompt */
  preamble: string | null;
  /** turns the model will see before the prompt */
  history: number;
  /** what made the last answer in them; null = not known, or written by us */
  model: string | null;
}

export async function planSession(database: Database, request: PlanRequest): Promise<SessionPlan> {
  createCliFolders(request.folders);
  const configBroken = await setAsideBrokenConfig(request.folders.config);
  const session = await currentSession(database.rows, request.conversationId);
  const plan =
    session === null ||
    request.policy === 'fresh' ||
    request.floor === 'rebuilt' ||
    request.floor === 'digest'
      ? await withoutSession(database, request, session)
      : await withSession(database, request, session);
  const evidence = configBroken ? { ...plan.evidence, brokenConfigSetAside: true } : plan.evidence;
  const own = (await readRecord(database.rows, request.conversationId)).find(
    (e) => e.dispatchId === request.dispatchId,
  );
  const tail = await heardTail(database, request, plan.tail);
  return { ...plan, evidence, tail, begun: own?.actions ?? [] };
}

/**
 * A CLI that outlives its service goes on by itself: every tool it calls is refused in the user's name, and what it
 * says to that is no answer to anybody. Only what we heard while we lived counts as the end of a turn.
 */
async function heardTail(database: Database, request: PlanRequest, tail: Tail): Promise<Tail> {
  if (tail.kind !== 'answered') return tail;
  const heard = await wasHeard(database.rows, { ...request, uuid: tail.head });
  // guard: heard answer
  return heard ? tail : { kind: 'mid-turn' };
}

/** No session to resume: the first dispatch, a policy that wants none, or a history that must come from the record. */
async function withoutSession(
  database: Database,
  request: PlanRequest,
  session: SessionRow | null,
): Promise<SessionPlan> {
  const exchanges = await pastExchanges(database, request);
  if (request.policy === 'fresh' && request.floor === 'resumed') {
    // A run of this very dispatch that was cut off is continued even so; only a finished one is left behind.
    if (session !== null && session.state === 'proposed')
      return await withSession(database, request, session);
    return await startFresh(database, request, 'policy-fresh');
  }
  if (exchanges.length === 0) return await startFresh(database, request, 'first-dispatch');
  const last = await newestSession(database.rows, request.conversationId);
  const reason = request.floorReason ?? last?.reason ?? 'session-lost';
  return await rebuild(database, request, { exchanges, reason, evidence: {} });
}

async function startFresh(database: Database, request: PlanRequest, reason: string): Promise<SessionPlan> {
  const session = await database.transaction(async (tx) =>
    proposeSession(tx, {
      conversationId: request.conversationId,
      configFolder: request.folders.config,
      synthesised: false,
      follows: await newestSession(tx, request.conversationId),
      reason,
      now: request.now,
    }),
  );
  return newSessionPlan(session, { continuity: 'fresh', reason });
}

function newSessionPlan(
  session: SessionRow,
  detail: Partial<SessionPlan> & { continuity: Continuity; reason: string },
): SessionPlan {
  return {
    session,
    start: 'new',
    resumeAt: null,
    evidence: {},
    tail: { kind: 'nothing' },
    begun: [],
    preamble: null,
    history: 0,
    model: null,
    ...detail,
  };
}

async function withSession(
  database: Database,
  request: PlanRequest,
  known: SessionRow,
): Promise<SessionPlan> {
  const { session, moved } = await followFolder(database, request, known);
  const strays = await strayCopies(session);
  if (strays.length > 0) await gatherStrays(session, strays);
  const disk = await diskCopy(session);
  const archived = await archivedBeside(database, request, session, disk);
  const evidence = {
    ...describeCopies(disk, archived),
    ...(strays.length > 0 ? { strays } : {}),
    ...(moved ? { formerFolder: known.config_folder } : {}),
  };
  const choice = chooseCopy({ disk, archived, floor: request.floor, fetched: fetchedFrom(strays, moved) });
  switch (choice.use) {
    case 'disk':
      if (request.archive && !isPrefix(archived, disk)) await replaceArchived(database, session, disk.bytes!);
      return await resumePlan(database, request, { session, copy: disk, ...choice, evidence });
    case 'archive':
      await putInPlace(session, archived.bytes!);
      await restoreCompanions(database, session);
      return await resumePlan(database, request, { session, copy: archived, ...choice, evidence });
    case 'mended': {
      const bytes = withoutBadLines(choice.from.bytes!);
      await putInPlace(session, bytes);
      if (request.archive) await replaceArchived(database, session, bytes);
      const copy: Copy = { state: 'good', bytes, transcript: readTranscript(bytes), code: null };
      return await resumePlan(database, request, { session, copy, ...choice, evidence });
    }
    case 'none':
      return await withoutTranscript(database, request, { session, reason: choice.reason, evidence });
  }
}

/** The state folder has moved since: the CLI will look in the new place, so the transcript is fetched from the old. */
async function followFolder(
  database: Database,
  request: PlanRequest,
  known: SessionRow,
): Promise<{ session: SessionRow; moved: boolean }> {
  if (known.config_folder === request.folders.config) return { session: known, moved: false };
  const session = { ...known, config_folder: request.folders.config };
  const [here, there] = [await diskCopy(session), await diskCopy(known)];
  const fetch = !isUsable(here) && isUsable(there);
  if (fetch) {
    await putInPlace(session, there.bytes);
    await fetchCompanions(known, session);
  }
  await database.transaction((tx) =>
    tx
      .updateTable('sessions')
      .set({ config_folder: session.config_folder })
      .where('id', '=', session.id)
      .execute(),
  );
  return { session, moved: fetch };
}

function fetchedFrom(strays: string[], moved: boolean): string | null {
  if (strays.length > 0) return 'other-project-folder';
  return moved ? 'other-home' : null;
}

/** Judging means parsing, half a second for 50 MB: an archive that equals the copy on disk is what that copy is. */
async function archivedBeside(
  database: Database,
  request: PlanRequest,
  session: SessionRow,
  disk: Copy,
): Promise<Copy> {
  if (!request.archive) return { state: 'missing', bytes: null, transcript: null, code: null };
  const bytes = await readArchived(database.rows, session.conversation_id, transcriptPath(session.id));
  if (bytes === null) return { state: 'missing', bytes: null, transcript: null, code: null };
  const isEqual = disk.bytes !== null && Buffer.compare(bytes, disk.bytes) === 0;
  return isEqual ? { ...disk, bytes } : judge(bytes, session.head);
}

/** The archive grows by offset: a file that is no continuation of it must replace it as a whole. */
function isPrefix(archived: Copy, disk: Copy): boolean {
  if (archived.bytes === null) return true;
  return Buffer.compare(archived.bytes, disk.bytes!.subarray(0, archived.bytes.length)) === 0;
}

type Choice =
  | { use: 'disk'; continuity: 'resumed' | 'restored'; reason: string }
  | { use: 'archive'; continuity: 'restored'; reason: string }
  | { use: 'mended'; continuity: 'repaired'; reason: string; from: Copy }
  | { use: 'none'; reason: string };

interface Copies {
  disk: Copy;
  archived: Copy;
  floor: Floor;
  /** where the copy on disk had to be fetched from, or null when it stood in its place */
  fetched: string | null;
}

/** The longer valid copy wins; a damaged one is used only when there is no whole one. */
export function chooseCopy({ disk, archived, floor, fetched }: Copies): Choice {
  const reason = `disk-${disk.state}`;
  const whole = { disk: disk.state === 'good', archived: archived.state === 'good' };
  if (whole.disk && floor === 'resumed') {
    if (whole.archived && archived.transcript!.size > disk.transcript!.size) {
      return { use: 'archive', continuity: 'restored', reason: 'disk-behind-archive' };
    }
    return fetched === null
      ? { use: 'disk', continuity: 'resumed', reason: 'in-order' }
      : { use: 'disk', continuity: 'restored', reason: fetched };
  }
  if (whole.archived) {
    return { use: 'archive', continuity: 'restored', reason: whole.disk ? 'resume-failed' : reason };
  }
  if (floor !== 'resumed') return { use: 'none', reason: 'resume-failed' };
  if (isUsable(disk)) return { use: 'mended', continuity: 'repaired', reason, from: disk };
  if (isUsable(archived)) return { use: 'mended', continuity: 'repaired', reason, from: archived };
  return { use: 'none', reason };
}

interface UsableCopy {
  session: SessionRow;
  copy: Copy;
  continuity: Continuity;
  reason: string;
  evidence: Record<string, unknown>;
}

async function resumePlan(database: Database, request: PlanRequest, use: UsableCopy): Promise<SessionPlan> {
  const { session } = use;
  const transcript = use.copy.transcript!;
  const tail = tailAfter(transcript, session.head);
  if (session.head === null && tail.kind === 'unanswered') {
    return await startSameIdAgain(database, request, { session, evidence: use.evidence });
  }
  return {
    session,
    start: 'resume',
    // guard: cut of an unanswered prompt
    // guard: cut of an unanswered prompt (whole service)
    resumeAt: endBeforeUnanswered(transcript, session.head),
    continuity: session.synthesised === 1 && session.state === 'proposed' ? 'rebuilt' : use.continuity,
    reason: use.reason,
    evidence: use.evidence,
    tail,
    begun: [],
    preamble: null,
    history: historyMessages(transcript),
    model: session.synthesised === 1 && session.verified_at === null ? null : modelOf(transcript),
  };
}

/** A first prompt without any answer: nothing is lost by starting the same id again, and the prompt is sent once. */
async function startSameIdAgain(
  database: Database,
  request: PlanRequest,
  { session, evidence }: { session: SessionRow; evidence: Record<string, unknown> },
): Promise<SessionPlan> {
  if (request.archive) {
    await database.transaction((tx) => dropArchived(tx, session.conversation_id, transcriptPath(session.id)));
  }
  await rm(join(session.config_folder, transcriptPath(session.id)), { force: true });
  const reason = 'first-turn-unanswered';
  const exchanges = request.policy === 'fresh' ? [] : await pastExchanges(database, request);
  // Nothing was answered, so nothing was lost; what was asked is told all the same.
  const continuity = exchanges.every(isEmpty) ? 'fresh' : 'rebuilt';
  return newSessionPlan(session, { continuity, reason, evidence, preamble: preambleOf(exchanges) });
}

/** Neither copy can be used: the same id again if it never got anywhere, else a new session from the record. */
async function withoutTranscript(
  database: Database,
  request: PlanRequest,
  lost: { session: SessionRow; reason: string; evidence: Record<string, unknown> },
): Promise<SessionPlan> {
  const exchanges = await pastExchanges(database, request);
  const neverStarted = lost.session.head === null && exchanges.every(isEmpty) && request.floor === 'resumed';
  if (neverStarted) {
    await setAside(lost.session);
    return newSessionPlan(lost.session, {
      continuity: 'fresh',
      reason: 'killed-before-first-write',
      evidence: lost.evidence,
      preamble: preambleOf(exchanges),
    });
  }
  return await rebuild(database, request, { exchanges, reason: lost.reason, evidence: lost.evidence });
}

interface Rebuild {
  exchanges: Exchange[];
  reason: string;
  evidence: Record<string, unknown>;
}

async function rebuild(database: Database, request: PlanRequest, from: Rebuild): Promise<SessionPlan> {
  const asText = request.floor === 'digest';
  const { session, bytes } = await database.transaction(async (tx) => {
    const last = await newestSession(tx, request.conversationId);
    if (last !== null) await abandonSession(tx, last.id, from.reason);
    const proposed = await proposeSession(tx, {
      conversationId: request.conversationId,
      configFolder: request.folders.config,
      synthesised: !asText,
      follows: last === null ? null : { ...last, state: 'abandoned' },
      reason: from.reason,
      now: request.now,
    });
    if (asText) return { session: proposed, bytes: new Uint8Array() };
    const written = synthesiseTranscript({ ...request, sessionId: proposed.id, exchanges: from.exchanges });
    // The head of what we wrote: whatever the CLI appends after it is this run's.
    const head = headOf(readTranscript(written));
    await tx
      .updateTable('sessions')
      .set({ head, size: written.length })
      .where('id', '=', proposed.id)
      .execute();
    return { session: { ...proposed, head, size: written.length }, bytes: written };
  });
  const detail = { continuity: 'rebuilt' as const, reason: from.reason };
  const form = asText ? 'digest' : 'synthesised';
  const evidence = { ...from.evidence, form, exchanges: from.exchanges.length };
  if (asText) return newSessionPlan(session, { ...detail, evidence, preamble: digest(from.exchanges) });
  await putInPlace(session, bytes);
  return newSessionPlan(session, {
    ...detail,
    evidence,
    start: 'resume',
    history: historyMessages(readTranscript(bytes)),
  });
}

/** What the record holds of this conversation; of the dispatch in hand only what it has already done. */
async function pastExchanges(database: Database, request: PlanRequest): Promise<Exchange[]> {
  const all = await readRecord(database.rows, request.conversationId);
  // guard: rebuild from the record
  return all.filter((e) => e.dispatchId !== request.dispatchId || e.actions.length > 0);
}
