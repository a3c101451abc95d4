/** Conversations: all of them in a list, and one of them whole. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, SessionRow } from '../database/tables.ts';
import { type LedgerUsage, usageOf } from '../gateway/ledger.ts';
import { currentParks, type Park } from '../mailbox/parks.ts';
import type { ItemKind, SessionState } from '../vocabulary.ts';
import { type ConversationState, type EndedDispatch, stateOf } from './conversation-state.ts';
import {
  type DispatchView,
  dispatchRows,
  type IncidentView,
  type ShownDispatchRow,
  viewDispatches,
  viewIncident,
} from './dispatches.ts';
import { type MarksView, viewMarks } from './marks.ts';
import { type Named, requireConversations } from './references.ts';
import { timeOf } from './stored.ts';
import { totalUsage, type UsageTotals } from './usage.ts';

/** All times RFC 3339 in UTC. */
export interface ConversationSummary {
  id: string;
  forge: string;
  /** `owner/name` as last seen */
  repository: string;
  number: number;
  kind: ItemKind;
  title: string;
  agent: string;
  branch: string | null;
  state: ConversationState;
  /** messages no run has taken yet */
  waitingMessages: number;
  /** answers that the forge refused, and that are kept to be posted */
  unpostedAnswers: number;
  updatedAt: string;
}

export interface ConversationList {
  /** last changed first */
  conversations: ConversationSummary[];
  total: number;
}

export interface SessionView {
  id: string;
  ordinal: number;
  state: SessionState;
  reason: string | null;
  /** how its first dispatch began; null before that */
  continuity: string | null;
  replacedBy: string | null;
  dispatches: number;
  head: string | null;
  /** bytes when it was verified */
  size: number;
  failedResumes: number;
  synthesised: boolean;
  cliVersion: string | null;
  createdAt: string;
  verifiedAt: string | null;
  marks: MarksView;
}

export interface ConversationDescription extends ConversationSummary {
  /** every number of this repository that leads here: the issue, and pull requests that joined */
  items: number[];
  createdAt: string;
  /** the chain, oldest first */
  sessions: SessionView[];
  /** oldest first, each with its effects and incidents */
  dispatches: DispatchView[];
  /** incidents whose dispatch is not in the list above: none, unless rows were removed by hand */
  otherIncidents: IncidentView[];
  usage: UsageTotals;
  /** what passed the gateway, cut-off runs included; zero requests before there was one */
  ledger: LedgerUsage;
}

export async function listConversations(
  rows: Rows,
  { limit, now = Date.now() }: { limit: number; now?: number },
): Promise<ConversationList> {
  const found = await rows
    .selectFrom('conversations')
    .selectAll()
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute();
  const { total } = await rows
    .selectFrom('conversations')
    .select((e) => e.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const parks = await currentParks(rows, now);
  const conversations: ConversationSummary[] = [];
  for (const row of found) conversations.push(await summarise(rows, row, { parks, now }));
  return { conversations, total: Number(total) };
}

export async function summarise(
  rows: Rows,
  row: ConversationRow,
  moment: { parks: Park[]; now: number },
): Promise<ConversationSummary> {
  const open = await rows
    .selectFrom('dispatches')
    .select(['id', 'state', 'reason', 'due_at', 'started_at', 'worker'])
    .where('conversation_id', '=', row.id)
    .where('state', 'in', ['running', 'queued', 'parked', 'interrupted'])
    .execute();
  const { waiting } = await rows
    .selectFrom('messages')
    .select((e) => e.fn.countAll<number>().as('waiting'))
    .where('conversation_id', '=', row.id)
    .where('state', '=', 'waiting')
    .executeTakeFirstOrThrow();
  const { unposted } = await rows
    .selectFrom('dispatches')
    .select((e) => e.fn.countAll<number>().as('unposted'))
    .where('conversation_id', '=', row.id)
    .where('state', '=', 'unposted')
    .executeTakeFirstOrThrow();
  return {
    id: row.id,
    forge: row.forge,
    repository: row.repository_name,
    number: row.item_number,
    kind: row.item_kind,
    title: row.title,
    agent: row.agent,
    branch: row.branch,
    state: stateOf(row, { open, last: await lastEnded(rows, row.id) }, moment),
    waitingMessages: Number(waiting),
    unpostedAnswers: Number(unposted),
    updatedAt: timeOf(row.updated_at)!,
  };
}

async function lastEnded(rows: Rows, conversationId: string): Promise<EndedDispatch | null> {
  const last = await rows
    .selectFrom('dispatches')
    .select(['id', 'state', 'reason', 'ended_at'])
    .where('conversation_id', '=', conversationId)
    .where('state', 'in', ['succeeded', 'unposted', 'failed', 'cancelled'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return null;
  const aside = await rows
    .selectFrom('set_aside')
    .select('dispatch_id')
    .where('conversation_id', '=', conversationId)
    .where('dispatch_id', '=', last.id)
    .limit(1)
    .executeTakeFirst();
  return { ...last, set_aside: aside !== undefined };
}

/** Of an item, one for each agent that worked on it. Throws NotFound when there is none. */
export async function describeConversation(
  rows: Rows,
  named: Named,
  now: number = Date.now(),
): Promise<{ conversations: ConversationDescription[] }> {
  const found = await requireConversations(rows, named);
  const parks = await currentParks(rows, now);
  const conversations: ConversationDescription[] = [];
  for (const row of found) conversations.push(await describe(rows, row, { parks, now }));
  return { conversations };
}

async function describe(
  rows: Rows,
  row: ConversationRow,
  moment: { parks: Park[]; now: number },
): Promise<ConversationDescription> {
  const of = { column: 'conversation_id', id: row.id } as const;
  const dispatches = await dispatchRows(rows, row.id);
  const sessions = await rows
    .selectFrom('sessions')
    .selectAll()
    .where(of.column, '=', of.id)
    .orderBy('ordinal')
    .execute();
  const incidents = await rows
    .selectFrom('incidents')
    .selectAll()
    .where(of.column, '=', of.id)
    .orderBy('seq')
    .execute();
  const items = await rows
    .selectFrom('conversation_items')
    .select('number')
    .where(of.column, '=', of.id)
    .orderBy('number')
    .execute();
  const known = new Set(dispatches.map((d) => d.id));
  return {
    ...(await summarise(rows, row, moment)),
    items: items.map((i) => i.number),
    createdAt: timeOf(row.created_at)!,
    sessions: await Promise.all(
      sessions.map(async (s) => ({ ...viewSession(s, dispatches), marks: await viewMarks(rows, s.id) })),
    ),
    dispatches: await viewDispatches(rows, dispatches),
    otherIncidents: incidents.filter((i) => !known.has(i.dispatch_id)).map(viewIncident),
    usage: totalUsage(dispatches),
    ledger: await usageOf(rows, { conversationId: row.id }),
  };
}

function viewSession(s: SessionRow, dispatches: ShownDispatchRow[]): Omit<SessionView, 'marks'> {
  const own = dispatches.filter((d) => d.session_id === s.id);
  return {
    id: s.id,
    ordinal: s.ordinal,
    state: s.state,
    reason: s.reason,
    continuity: own[0]?.continuity ?? null,
    replacedBy: s.replaced_by,
    dispatches: own.length,
    head: s.head,
    size: s.size,
    failedResumes: s.failed_resumes,
    synthesised: s.synthesised === 1,
    cliVersion: s.cli_version,
    createdAt: timeOf(s.created_at)!,
    verifiedAt: timeOf(s.verified_at),
  };
}
