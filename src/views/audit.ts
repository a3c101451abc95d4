/** The audit, read: what agents tried at our doors, and what became of it. */
import type { Rows } from '../database/database.ts';
import type { AuditRow } from '../database/tables.ts';
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
export async function readAudit(rows: Rows, query: AuditQuery): Promise<AuditView[]> {
  let found = rows.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(query.limit);
  if (query.denied) found = found.where('decision', '!=', 'allowed');
  if (query.reference !== null) {
    const conversations = await requireConversations(rows, query.reference);
    const ids = conversations.map((c) => c.id);
    found = found.where('conversation_id', 'in', ids);
  }
  return (await found.execute()).map(viewOf);
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
