/** Conversations whole: what they are about, their sessions, their dispatches, and what they used. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, SessionRow } from '../database/tables.ts';
import { type LedgerUsage, usageOf } from '../gateway/ledger.ts';
import { currentHolds } from '../mailbox/holds.ts';
import type { SessionState } from '../vocabulary.ts';
import { type ConversationSummary, summarise } from './conversation-summary.ts';
import {
  type DispatchView,
  dispatchRows,
  type IncidentView,
  type ShownDispatchRow,
  viewDispatches,
  viewIncident,
} from './dispatches.ts';
import { type MarksView, viewMarksOf } from './marks.ts';
import { type Named, requireConversations } from './references.ts';
import { timeOf } from './stored.ts';
import { totalUsage, type UsageTotals } from './usage.ts';

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

/** Of an item, one for each agent that worked on it. Throws NotFound when there is none. */
export async function describeConversation(
  rows: Rows,
  named: Named,
  now: number = Date.now(),
): Promise<{ conversations: ConversationDescription[] }> {
  const found = await requireConversations(rows, named);
  const summaries = await summarise(rows, found, { holds: await currentHolds(rows, now), now });
  const parts = await partsOf(
    rows,
    found.map(({ id }) => id),
  );
  const conversations: ConversationDescription[] = [];
  // One ledger each: an item has as many conversations as agents worked on it.
  for (const [n, row] of found.entries()) {
    const ledger = await usageOf(rows, { conversationId: row.id });
    conversations.push(describe(row, { summary: summaries[n]!, ledger, ...parts }));
  }
  return { conversations };
}

/** By conversation; each read once for all of them. */
interface Parts {
  sessions: Map<string, SessionRow[]>;
  marks: Map<string, MarksView>;
  dispatches: Map<string, ShownDispatchRow[]>;
  views: Map<string, DispatchView>;
  incidents: Map<string, IncidentView[]>;
  items: Map<string, number[]>;
}

async function partsOf(rows: Rows, ids: string[]): Promise<Parts> {
  const dispatches = await dispatchRows(rows, ids);
  const known = new Set(dispatches.map(({ id }) => id));
  const sessions = await rows
    .selectFrom('sessions')
    .selectAll()
    .where('conversation_id', 'in', ids)
    .orderBy('ordinal')
    .execute();
  const incidents = await rows
    .selectFrom('incidents')
    .selectAll()
    .where('conversation_id', 'in', ids)
    .orderBy('seq')
    .execute();
  const items = await rows
    .selectFrom('conversation_items')
    .select(['conversation_id', 'number'])
    .where('conversation_id', 'in', ids)
    .orderBy('number')
    .execute();
  const others = incidents.filter((incident) => !known.has(incident.dispatch_id));
  return {
    sessions: Map.groupBy(sessions, (session) => session.conversation_id),
    marks: await viewMarksOf(
      rows,
      sessions.map(({ id }) => id),
    ),
    dispatches: Map.groupBy(dispatches, (dispatch) => dispatch.conversation_id),
    views: new Map((await viewDispatches(rows, dispatches)).map((view) => [view.id, view])),
    incidents: mapValues(
      Map.groupBy(others, (incident) => incident.conversation_id),
      viewIncident,
    ),
    items: mapValues(
      Map.groupBy(items, (item) => item.conversation_id),
      ({ number }) => number,
    ),
  };
}

function mapValues<T, V>(groups: Map<string, T[]>, view: (of: T) => V): Map<string, V[]> {
  return new Map([...groups].map(([key, of]) => [key, of.map(view)]));
}

function describe(
  row: ConversationRow,
  of: Parts & { summary: ConversationSummary; ledger: LedgerUsage },
): ConversationDescription {
  const dispatches = of.dispatches.get(row.id) ?? [];
  const sessions = of.sessions.get(row.id) ?? [];
  return {
    ...of.summary,
    items: of.items.get(row.id) ?? [],
    createdAt: timeOf(row.created_at)!,
    sessions: sessions.map((s) => ({ ...viewSession(s, dispatches), marks: of.marks.get(s.id)! })),
    dispatches: dispatches.map(({ id }) => of.views.get(id)!),
    otherIncidents: of.incidents.get(row.id) ?? [],
    usage: totalUsage(dispatches),
    ledger: of.ledger,
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
