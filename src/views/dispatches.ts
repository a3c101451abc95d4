/** A dispatch as the answering commands show it: how it went, what it did outside, where continuity broke. */
import type { Rows } from '../database/database.ts';
import type { DispatchRow, EffectRow, IncidentRow } from '../database/tables.ts';
import type { SetUpSaid } from '../layers/port.ts';
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
  /** what its last run began with; null = it has not begun, or it is a person at the terminal */
  versions: VersionsView | null;
  /** who was at the session's own terminal; null = it is a run of the agent */
  attachedBy: string | null;
  /** beginning of the answer, one line */
  answer: string | null;
  /** what became of the set-up commands; null = none were configured */
  setUp: SetUpView | null;
  effects: EffectView[];
  incidents: IncidentView[];
}

/** Digests are SHA-256 of the content; null where the configuration had none of this name. */
export interface VersionsView {
  model: string;
  effort: string | null;
  skill: { name: string; digest: string | null };
  flow: { name: string; digest: string | null };
  instructions: string;
}

export interface SetUpView extends SetUpSaid {
  /** the last lines of a set-up that failed, as of its last attempt */
  logEnd: string | null;
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
  'conversation_id',
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
  'set_up',
  'versions',
  'attached_by',
] as const satisfies (keyof DispatchRow)[];

export type ShownDispatchRow = Pick<DispatchRow, (typeof SHOWN)[number]>;

/** The dispatches of these conversations, oldest first. */
export async function dispatchRows(
  rows: Rows,
  conversations: readonly string[],
): Promise<ShownDispatchRow[]> {
  if (conversations.length === 0) return [];
  return await rows
    .selectFrom('dispatches')
    .select(SHOWN)
    .where('conversation_id', 'in', [...conversations])
    .orderBy('seq')
    .execute();
}

const OPEN = ['running', 'queued', 'parked', 'interrupted'] as const satisfies DispatchState[];

export function isOpen({ state }: Pick<DispatchRow, 'state'>): boolean {
  return (OPEN as readonly DispatchState[]).includes(state);
}

/**
 * Of these conversations, oldest first: these dispatches, those that carried one of these messages, and those that are
 * still open. Without the conversations, every dispatch there ever was would be searched for what it carried.
 */
export async function dispatchRowsOfMessages(
  rows: Rows,
  of: { conversations: string[]; messages: string[]; dispatches: string[] },
): Promise<(ShownDispatchRow & Pick<DispatchRow, 'carried'>)[]> {
  if (of.messages.length === 0) return [];
  return await rows
    .selectFrom('dispatches')
    .select(SHOWN)
    .select('carried')
    .where('conversation_id', 'in', of.conversations)
    .where((e) =>
      e.or([
        e('state', 'in', OPEN),
        ...(of.dispatches.length > 0 ? [e('id', 'in', of.dispatches)] : []),
        ...of.messages.map((message) => e('carried', 'like', `%"${message}"%`)),
      ]),
    )
    .orderBy('seq')
    .execute();
}

/** Ids in one statement: SQLite takes 32,766 values. */
const MOST_IDS = 10_000;

/** In the order of `dispatches`. */
export async function viewDispatches(
  rows: Rows,
  dispatches: readonly ShownDispatchRow[],
): Promise<DispatchView[]> {
  const views: DispatchView[] = [];
  for (let at = 0; at < dispatches.length; at += MOST_IDS) {
    views.push(...(await viewSome(rows, dispatches.slice(at, at + MOST_IDS))));
  }
  return views;
}

async function viewSome(rows: Rows, dispatches: readonly ShownDispatchRow[]): Promise<DispatchView[]> {
  const ids = dispatches.map((d) => d.id);
  const effects = await rows
    .selectFrom('effects')
    .selectAll()
    .where('dispatch_id', 'in', ids)
    .orderBy('seq')
    .execute();
  // Incidents have an index by conversation alone.
  const conversations = [...new Set(dispatches.map((d) => d.conversation_id))];
  const incidents = await rows
    .selectFrom('incidents')
    .selectAll()
    .where('conversation_id', 'in', conversations)
    .where('dispatch_id', 'in', ids)
    .orderBy('seq')
    .execute();
  const logs = await logsOfSetUps(rows, dispatches);
  const effectsOf = Map.groupBy(effects, (effect) => effect.dispatch_id);
  const incidentsOf = Map.groupBy(incidents, (incident) => incident.dispatch_id);
  return dispatches.map((d) => ({
    ...viewRow(d),
    setUp: viewSetUp(d, logs),
    effects: (effectsOf.get(d.id) ?? []).map(viewEffect),
    incidents: (incidentsOf.get(d.id) ?? []).map(viewIncident),
  }));
}

function viewSetUp(d: ShownDispatchRow, logs: ReadonlyMap<string, string | null>): SetUpView | null {
  const said = storedJson(d.set_up) as SetUpSaid | null;
  if (said === null) return null;
  const logEnd = said.outcome === 'failed' && said.key !== null ? (logs.get(said.key) ?? null) : null;
  return { ...said, logEnd };
}

/** By key; of these dispatches, those whose set-up failed. */
async function logsOfSetUps(
  rows: Rows,
  dispatches: readonly ShownDispatchRow[],
): Promise<Map<string, string | null>> {
  const said = dispatches.map((d) => storedJson(d.set_up) as SetUpSaid | null);
  const keys = said.flatMap((one) => (one?.outcome === 'failed' && one.key !== null ? [one.key] : []));
  if (keys.length === 0) return new Map();
  const found = await rows
    .selectFrom('layers')
    .select(['key', 'log_end'])
    .where('key', 'in', [...new Set(keys)])
    .execute();
  return new Map(found.map(({ key, log_end }) => [key, log_end]));
}

function viewRow(d: ShownDispatchRow): Omit<DispatchView, 'setUp' | 'effects' | 'incidents'> {
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
    versions: storedJson(d.versions) as VersionsView | null,
    attachedBy: d.attached_by,
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
