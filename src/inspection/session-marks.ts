/** The marks of a session, for a person: whose words it has read, and who has lifted what. */
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { marksOf, restrictionBy } from '../sessions/marks.ts';
import { newestSession } from '../sessions.ts';
import { findConversations } from './references.ts';
import { count, oneLine, showTime, timeOf } from './text.ts';

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
  const { marks, lifts } = await marksOf(rows, sessionId);
  const by = new Map(lifts.map((lift) => [lift.id, lift.lifted_by]));
  return {
    restricted: restrictionBy(marks.filter(({ lift_id }) => lift_id === null)),
    marks: marks.map((mark) => ({
      author: mark.author,
      place: mark.place,
      source: mark.source,
      dispatch: mark.dispatch_id,
      at: timeOf(mark.at)!,
      inheritedFrom: mark.inherited_from,
      liftedBy: mark.lift_id === null ? null : (by.get(mark.lift_id) ?? null),
    })),
    lifts: lifts.map((lift) => ({
      by: lift.lifted_by,
      because: lift.because,
      at: timeOf(lift.at)!,
      marks: marks.filter(({ lift_id }) => lift_id === lift.id).length,
    })),
  };
}

const MOST_SHOWN = 5;

/** Nothing where the session was never marked. */
export function markLines({ restricted, marks, lifts }: MarksView): string[] {
  const open = marks.filter(({ liftedBy }) => liftedBy === null);
  const shown = open.slice(0, MOST_SHOWN).map((mark) => {
    const from = mark.inheritedFrom === null ? '' : `, from session ${mark.inheritedFrom}`;
    return `  ${oneLine(mark.place)} by ${oneLine(mark.author)}, by ${oneLine(mark.source)}, ${showTime(mark.at)}${from}`;
  });
  const more = open.length - shown.length;
  return [
    ...(restricted === null ? [] : [`marked: ${oneLine(restricted, 400)}`, ...shown]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...lifts.map(
      (lift) =>
        `${count(lift.marks, 'mark')} lifted by ${oneLine(lift.by)}, ${showTime(lift.at)}: ${oneLine(lift.because, 200)}`,
    ),
  ];
}

/** By a session's id, or by whatever names one conversation: then its newest session. Throws NotFound. */
export async function findSession(rows: Rows, reference: string): Promise<SessionRow> {
  const exact = await rows
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', reference.toLowerCase())
    .executeTakeFirst();
  if (exact !== undefined) return exact;
  const found = await findConversations(rows, reference);
  if (found.length > 1) {
    const each = found.map(({ agent, id }) => `${agent} ${id}`).join(', ');
    throw new NotFound(
      `${oneLine(reference)} has ${count(found.length, 'conversation')}: ${each}. Name one of them by its id.`,
    );
  }
  const session = found[0] === undefined ? null : await newestSession(rows, found[0].id);
  if (session !== null) return session;
  throw new NotFound(
    `No session is named by ${oneLine(reference)}. Give a session id, a conversation id, or the item as owner/name#12; ` +
      '`claude-hooks conversations` lists them.',
  );
}
