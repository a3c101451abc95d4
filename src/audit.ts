/** The audit: everything an agent tried at one of the worker's doors, and its result. Rows are only added. */
import type { Rows } from './database/database.ts';
import type { AuditRow } from './database/tables.ts';

export interface AuditEntry {
  /** null for what belongs to no dispatch, such as a refused event */
  dispatchId: string | null;
  conversationId: string | null;
  agent: string | null;
  /** `model` = gateway, `forge` = broker tools, `git` = relayed pushes, `trigger` = who may wake an agent, `packages` = registries, `network` = hosts by name, `terminal` = people at a session's terminal, `mcp` = tools of MCP servers */
  door: AuditRow['door'];
  /** what was tried, such as `merge`, `push refs/heads/main`, `GET /v1/models` */
  action: string;
  decision: 'allowed' | 'denied' | 'failed';
  /** a sentence for people; null when allowed */
  reason: string | null;
  /** can be written as JSON; has no secrets and no long texts */
  detail: Record<string, unknown>;
  now: number;
}

export async function recordAudit(rows: Rows, entry: AuditEntry): Promise<void> {
  await recordAudits(rows, [entry]);
}

/** In one statement, in this order. At most some hundreds: a database takes 32,766 values at once. */
export async function recordAudits(rows: Rows, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await rows.insertInto('audit').values(entries.map(rowOf)).execute();
}

function rowOf(entry: AuditEntry) {
  return {
    at: entry.now,
    dispatch_id: entry.dispatchId,
    conversation_id: entry.conversationId,
    agent: entry.agent,
    door: entry.door,
    action: entry.action,
    decision: entry.decision,
    reason: entry.reason,
    detail: JSON.stringify(entry.detail),
  };
}

/** Oldest first. */
export async function auditOf(rows: Rows, of: { dispatchId: string } | { conversationId: string }) {
  const query = rows.selectFrom('audit').selectAll().orderBy('seq');
  return 'dispatchId' in of
    ? await query.where('dispatch_id', '=', of.dispatchId).execute()
    : await query.where('conversation_id', '=', of.conversationId).execute();
}
