/** A dispatch as the answering commands show it: how it went, what it did outside, where continuity broke. */
import type { Rows } from '../database/database.ts';
import type { DispatchRow, EffectRow, IncidentRow } from '../database/tables.ts';
import { oneLine } from '../terminal-text.ts';
import type { DispatchState } from '../vocabulary.ts';
import { storedJson, timeOf } from './stored.ts';

/** All times RFC 3339 in UTC. */
export interface DispatchView {
  id: string;
  agent: string;
  state: DispatchState;
  reason: string | null;
  attempt: number;
  createdAt: string;
  dueAt: string;
  startedAt: string | null;
  endedAt: string | null;
  worker: string | null;
  session: string | null;
  /** a Continuity, or null before the first spawn */
  continuity: string | null;
  /** messages of history the model saw before the prompt */
  historyMessages: number | null;
  turns: number | null;
  /** what made its last answer, as the model's side names it */
  model: string | null;
  /** what made the last answer before it in the session, where that was another model */
  formerModel: string | null;
  /** beginning of the answer, one line */
  answer: string | null;
  effects: EffectView[];
  incidents: IncidentView[];
}

export interface EffectView {
  kind: EffectRow['kind'];
  state: EffectRow['state'];
  key: string;
  attempts: number;
  createdAt: string;
  doneAt: string | null;
  result: unknown;
}

export interface IncidentView {
  at: string;
  dispatch: string;
  session: string;
  rung: string;
  reason: string;
  evidence: unknown;
}

/** Not selected: prompt and snapshot, which are most of the bytes of a row. */
const SHOWN = [
  'id',
  'agent',
  'state',
  'reason',
  'attempt',
  'created_at',
  'due_at',
  'started_at',
  'ended_at',
  'worker',
  'session_id',
  'continuity',
  'history_messages',
  'turns',
  'model',
  'former_model',
  'answer',
  'usage',
] as const satisfies (keyof DispatchRow)[];

export type ShownDispatchRow = Pick<DispatchRow, (typeof SHOWN)[number]>;

/** The dispatches of one conversation, oldest first. */
export async function dispatchRows(rows: Rows, conversationId: string): Promise<ShownDispatchRow[]> {
  return await rows
    .selectFrom('dispatches')
    .select(SHOWN)
    .where('conversation_id', '=', conversationId)
    .orderBy('seq')
    .execute();
}

/** These, and those that carried this message, oldest first. */
export async function dispatchRowsOfMessage(
  rows: Rows,
  of: { message: string; dispatches: string[] },
): Promise<ShownDispatchRow[]> {
  return await rows
    .selectFrom('dispatches')
    .select(SHOWN)
    .where((e) =>
      e.or([
        ...(of.dispatches.length > 0 ? [e('id', 'in', of.dispatches)] : []),
        e('carried', 'like', `%"${of.message}"%`),
      ]),
    )
    .orderBy('seq')
    .execute();
}

export async function viewDispatches(rows: Rows, dispatches: ShownDispatchRow[]): Promise<DispatchView[]> {
  if (dispatches.length === 0) return [];
  const ids = dispatches.map((d) => d.id);
  const effects = await rows
    .selectFrom('effects')
    .selectAll()
    .where('dispatch_id', 'in', ids)
    .orderBy('seq')
    .execute();
  const incidents = await rows
    .selectFrom('incidents')
    .selectAll()
    .where('dispatch_id', 'in', ids)
    .orderBy('seq')
    .execute();
  return dispatches.map((d) => ({
    ...viewRow(d),
    effects: effects.filter((e) => e.dispatch_id === d.id).map(viewEffect),
    incidents: incidents.filter((i) => i.dispatch_id === d.id).map(viewIncident),
  }));
}

function viewRow(d: ShownDispatchRow): Omit<DispatchView, 'effects' | 'incidents'> {
  return {
    id: d.id,
    agent: d.agent,
    state: d.state,
    reason: d.reason,
    attempt: d.attempt,
    createdAt: timeOf(d.created_at)!,
    dueAt: timeOf(d.due_at)!,
    startedAt: timeOf(d.started_at),
    endedAt: timeOf(d.ended_at),
    worker: d.worker,
    session: d.session_id,
    continuity: d.continuity,
    historyMessages: d.history_messages,
    turns: d.turns,
    model: d.model,
    formerModel: d.former_model,
    answer: d.answer === null ? null : oneLine(d.answer),
  };
}

function viewEffect(e: EffectRow): EffectView {
  return {
    kind: e.kind,
    state: e.state,
    key: e.key,
    attempts: e.attempts,
    createdAt: timeOf(e.created_at)!,
    doneAt: timeOf(e.done_at),
    result: storedJson(e.result),
  };
}

export function viewIncident(i: IncidentRow): IncidentView {
  return {
    at: timeOf(i.at)!,
    dispatch: i.dispatch_id,
    session: i.session_id,
    rung: i.rung,
    reason: i.reason,
    evidence: storedJson(i.evidence),
  };
}
