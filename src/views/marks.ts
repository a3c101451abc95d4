/** The marks of a session, for a person: whose words it has read, and who has lifted what. */
import type { Rows } from '../database/database.ts';
import type { SessionMarkLiftRow, SessionMarkRow, SessionRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { marksOf, restrictionBy } from '../sessions/marks.ts';
import { newestSession } from '../sessions.ts';
import { oneLine } from '../terminal-text.ts';
import { ambiguous, findConversation, type Named, referenceOf, sessionsById } from './references.ts';
import { timeOf } from './stored.ts';

/** Times RFC 3339 in UTC. */
export interface MarksView {
  /** why the session may only read, comment and work on its own branch; null = it may do all that its agent may */
  restricted: string | null;
  /** oldest first */
  marks: MarkView[];
  /** oldest first */
  lifts: { by: string; because: string; at: string; marks: number }[];
}

export interface MarkView {
  author: string;
  place: string;
  /** what showed it: `prompt`, or `tool <name>` */
  source: string;
  dispatch: string;
  at: string;
  /** the session that read it, where this one only goes on with its history */
  inheritedFrom: string | null;
  liftedBy: string | null;
}

export async function viewMarks(rows: Rows, sessionId: string): Promise<MarksView> {
  return (await viewMarksOf(rows, [sessionId])).get(sessionId)!;
}

/** One view for each of these sessions, by its id. */
export async function viewMarksOf(
  rows: Rows,
  sessionIds: readonly string[],
): Promise<Map<string, MarksView>> {
  const { marks, lifts } = await marksOf(rows, ...sessionIds);
  const own = Map.groupBy(marks, (mark) => mark.session_id);
  return new Map(sessionIds.map((id) => [id, viewOf(own.get(id) ?? [], lifts)]));
}

function viewOf(marks: readonly SessionMarkRow[], lifts: readonly SessionMarkLiftRow[]): MarksView {
  const liftOf = new Map(lifts.map((lift) => [lift.id, lift]));
  const own = new Set(marks.map(({ lift_id }) => lift_id));
  return {
    restricted: restrictionBy(marks.filter(({ lift_id }) => lift_id === null)),
    marks: marks.map((mark) => ({
      author: mark.author,
      place: mark.place,
      source: mark.source,
      dispatch: mark.dispatch_id,
      at: timeOf(mark.at)!,
      inheritedFrom: mark.inherited_from,
      liftedBy: mark.lift_id === null ? null : (liftOf.get(mark.lift_id)?.lifted_by ?? null),
    })),
    lifts: lifts
      .filter(({ id }) => own.has(id))
      .map((lift) => ({
        by: lift.lifted_by,
        because: lift.because,
        at: timeOf(lift.at)!,
        marks: marks.filter(({ lift_id }) => lift_id === lift.id).length,
      })),
  };
}

/** By a session's id or a beginning of it, or by what names one conversation: then its newest session. Throws NotFound. */
export async function findSession(rows: Rows, named: Named): Promise<SessionRow> {
  const reference = referenceOf(named);
  if (reference.kind === 'id') {
    const sessions = await sessionsById(rows, reference.id);
    if (sessions.length > 1) {
      const candidates = sessions.map(({ id, conversation_id }) => ({
        id,
        is: `of conversation ${conversation_id}`,
      }));
      throw ambiguous(reference.text, 'session', candidates);
    }
    if (sessions[0] !== undefined) return sessions[0];
  }
  // Another dispatch of the conversation may have run on another session than its newest.
  const conversation = await findConversation(rows, reference, ['conversation']);
  const session = conversation === undefined ? null : await newestSession(rows, conversation.id);
  if (session !== null) return session;
  throw new NotFound(
    `No session is named by ${oneLine(reference.text)}. Give a session id, a conversation id, or the item as owner/name#12 ` +
      'or its address; `claude-hooks conversations` lists them.',
  );
}
