/** The audit, read: what agents tried at our doors, and what became of it. */
import type { Rows } from '../database/database.ts';
import type { AuditRow } from '../database/tables.ts';
import { type Page, type PageQuery, readPage, readPages } from './pages.ts';
import { type Named, requireConversations } from './references.ts';
import { timeOf } from './stored.ts';

/** Times RFC 3339 in UTC. */
export interface AuditView {
  at: string;
  door: AuditRow['door'];
  agent: string | null;
  conversation: string | null;
  dispatch: string | null;
  action: string;
  decision: AuditRow['decision'];
  reason: string | null;
  detail: Record<string, unknown>;
}

export interface AuditQuery {
  /** what names a conversation; null = everything */
  reference: Named | null;
  /** only what was not allowed */
  denied: boolean;
  limit: number;
}

/** Newest first. Throws NotFound when the reference names nothing. */
export async function readAudit(rows: Rows, { limit, ...query }: AuditQuery): Promise<AuditView[]> {
  const conversations = query.reference === null ? null : await requireConversations(rows, query.reference);
  const ids = conversations?.map(({ id }) => id) ?? null;
  return await readPages(limit, (page: PageQuery<number>) =>
    pageOf(rows, { ...page, ids, denied: query.denied }),
  );
}

async function pageOf(
  rows: Rows,
  { ids, denied, ...query }: PageQuery<number> & { ids: string[] | null; denied: boolean },
): Promise<Page<AuditView, number>> {
  let matching = rows.selectFrom('audit').selectAll().orderBy('seq', 'desc');
  if (denied) matching = matching.where('decision', '!=', 'allowed');
  if (ids !== null) matching = matching.where('conversation_id', 'in', ids);
  return await readPage(query, {
    rows: async ({ limit, after }) => {
      const from = after === null ? matching : matching.where('seq', '<', after);
      return await from.limit(limit).execute();
    },
    view: (found) => found.map(viewOf),
    keyOf: ({ seq }) => seq,
  });
}

function viewOf(row: AuditRow): AuditView {
  return {
    at: timeOf(Number(row.at))!,
    door: row.door,
    agent: row.agent,
    conversation: row.conversation_id,
    dispatch: row.dispatch_id,
    action: row.action,
    decision: row.decision,
    reason: row.reason,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  };
}
