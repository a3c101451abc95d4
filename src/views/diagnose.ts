/**
 * "Where was this session's handle lost?" Looks at the rows, the disk and the archive and names one cause. Changes
 * neither files nor rows: it may run beside the service.
 */
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { causeOf, verdictOf } from '../sessions/cause.ts';
import { transcriptsIn } from '../sessions/elsewhere.ts';
import { remedyFor } from '../sessions/remedies.ts';
import { type DiagnoseOptions, gatherFacts, type SessionFacts, UUID } from '../sessions/surroundings.ts';
import { newestSession } from '../sessions.ts';
import { oneLine, showTime } from '../terminal-text.ts';
import type { DiagnosedSession, Diagnosis } from './diagnosis.ts';
import { type MarksView, viewMarks } from './marks.ts';
import {
  ambiguous,
  findConversation,
  type Named,
  type Reference,
  referenceOf,
  sessionsById,
} from './references.ts';
import { checksOf } from './session-checks.ts';
import { timeOf } from './stored.ts';

/**
 * `reference`: a session id, or a conversation's id (then its newest session), the beginning of either (6 characters
 * or more), or an item where one agent worked on it. An id nobody knows is an answer (`wrong-id`); one that names several
 * is not: it throws Ambiguous.
 */
export async function diagnoseSession(
  rows: Rows,
  named: Named,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const reference = referenceOf(named);
  const target = await findTarget(rows, reference);
  switch (target.kind) {
    case 'session':
      return concludeFrom(
        await gatherFacts(rows, target.session, options),
        target.asked,
        await viewMarks(rows, target.session.id),
      );
    case 'no-session':
      return withoutSession({
        cause: 'no-session',
        evidence: `Conversation ${target.conversation} has had no session yet.`,
        remedy: 'Nothing to do: the first dispatch starts one.',
      });
    case 'unknown':
      return await diagnoseUnknown(rows, reference.text, options);
  }
}

type Target =
  | { kind: 'session'; session: SessionRow; asked: string }
  | { kind: 'no-session'; conversation: string }
  | { kind: 'unknown' };

async function findTarget(rows: Rows, reference: Reference): Promise<Target> {
  const { text } = reference;
  const exact = (await sessionById(rows, text)) ?? (await sessionById(rows, text.toLowerCase()));
  if (exact !== undefined) return { kind: 'session', session: exact, asked: text };
  const conversation = await findConversation(rows, reference, ['conversation']);
  if (conversation !== undefined) {
    const session = await newestSession(rows, conversation.id);
    return session === null
      ? { kind: 'no-session', conversation: conversation.id }
      : { kind: 'session', session, asked: session.id };
  }
  const sessions = reference.kind === 'id' ? await sessionsById(rows, reference.id) : [];
  if (sessions.length > 1) {
    const candidates = sessions.map((s) => ({ id: s.id, is: `of conversation ${s.conversation_id}` }));
    throw ambiguous(text, 'session', candidates);
  }
  const session = sessions[0];
  return session === undefined ? { kind: 'unknown' } : { kind: 'session', session, asked: session.id };
}

async function sessionById(rows: Rows, id: string): Promise<SessionRow | undefined> {
  return await rows.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
}

function concludeFrom(facts: SessionFacts, asked: string, marks: MarksView): Diagnosis {
  const seen = causeOf(facts);
  const checks = checksOf(facts, asked);
  const verdict = verdictOf(facts, seen);
  // Only when all else is in order: then the way it was asked for is what went wrong.
  const cause = seen === 'none' && checks.some((c) => c.name === 'id' && !c.ok) ? 'wrong-id' : seen;
  const incidents = facts.incidents.map(
    (i) =>
      `Incident of ${showTime(timeOf(i.at))}, dispatch ${i.dispatch_id}: ${oneLine(i.rung)}, ${oneLine(i.reason)}.`,
  );
  return {
    session: viewSession(facts, marks),
    verdict,
    cause,
    evidence: [...checks.filter((c) => !c.ok).map((c) => `${c.name}: ${c.detail}.`), ...incidents],
    remedy: remedyFor(facts, cause, verdict),
    archive: facts.archive,
    checks,
  };
}

function viewSession({ session, transcript }: SessionFacts, marks: MarksView): DiagnosedSession {
  return {
    id: session.id,
    conversation: session.conversation_id,
    ordinal: session.ordinal,
    state: session.state,
    reason: session.reason,
    replacedBy: session.replaced_by,
    head: session.head,
    size: session.size,
    cliVersion: session.cli_version,
    transcript,
    createdAt: timeOf(session.created_at)!,
    verifiedAt: timeOf(session.verified_at),
    marks,
  };
}

/** An id of nobody's chain can still be one the CLI made up itself: then its file stands in somebody's folder. */
async function diagnoseUnknown(rows: Rows, reference: string, options: DiagnoseOptions): Promise<Diagnosis> {
  const id = reference.toLowerCase();
  if (!UUID.test(id)) {
    return withoutSession({
      cause: 'wrong-id',
      evidence: `${oneLine(reference)} is no UUID and begins the id of no session or conversation.`,
      remedy:
        'Give a session id, a conversation id, 6 characters or more of either, or the item as owner/name#12 or its address.',
    });
  }
  const owners = await rows
    .selectFrom('sessions')
    .select(['config_folder', 'conversation_id'])
    .distinct()
    .orderBy('config_folder')
    .execute();
  const homes = (options.otherHomes ?? []).flatMap((h) => [h, `${h}/.claude`]);
  const ours = await filesIn(
    owners.map((o) => o.config_folder),
    id,
  );
  const foreign = await filesIn(homes, id);
  const owner = owners.find((o) => ours.some((file) => file.startsWith(`${o.config_folder}/`)));
  if (owner !== undefined) {
    return withoutSession({
      cause: 'wrong-id',
      evidence: `No chain holds ${id}, but a CLI wrote ${ours.join(', ')} in the folder of conversation ${owner.conversation_id}.`,
      remedy: `It named a session of its own, which we never resume. Diagnose conversation ${owner.conversation_id} instead.`,
    });
  }
  return withoutSession({
    cause: 'wrong-id',
    evidence:
      foreign.length === 0
        ? `No chain holds ${id}, and no CLI folder has a transcript of it.`
        : `No chain holds ${id}; ${foreign.join(', ')} is the history of a CLI outside of this service.`,
    remedy:
      'Take the id from the conversation instead: describe it by owner/name#12 and use its newest session.',
  });
}

async function filesIn(folders: string[], sessionId: string): Promise<string[]> {
  const files = await Promise.all(folders.map((folder) => transcriptsIn(folder, sessionId)));
  return files.flat();
}

function withoutSession(known: {
  cause: 'wrong-id' | 'no-session';
  evidence: string;
  remedy: string;
}): Diagnosis {
  return {
    session: null,
    verdict: known.cause === 'no-session' ? 'resumable' : 'unknown',
    cause: known.cause,
    evidence: [known.evidence],
    remedy: known.remedy,
    archive: null,
    checks: [{ name: 'id', ok: known.cause === 'no-session', detail: known.evidence }],
  };
}
