/** What the rules of the reconciler have found and is still so. */
import type { Rows } from '../database/database.ts';

export interface StuckItem {
  rule: string;
  /** `forge:owner/name#12` */
  item: string;
  agent: string | null;
  conversation: string | null;
  why: string;
  remedy: string;
  foundAt: string;
  /** what the rule did about it, and when; null = it reports only */
  did: string | null;
  actedAt: string | null;
}

export async function listStuck(rows: Rows): Promise<StuckItem[]> {
  const found = await rows
    .selectFrom('rule_findings')
    .selectAll()
    .where('over_at', 'is', null)
    .orderBy('found_at')
    .orderBy('rule')
    .orderBy('repository_name')
    .orderBy('item_number')
    .orderBy('subject')
    .execute();
  return found.map((row) => ({
    rule: row.rule,
    item: `${row.forge}:${row.repository_name}#${row.item_number}`,
    agent: row.agent,
    conversation: row.conversation_id,
    why: row.why,
    remedy: row.remedy,
    foundAt: new Date(Number(row.found_at)).toISOString(),
    did: row.did,
    actedAt: row.acted_at === null ? null : new Date(Number(row.acted_at)).toISOString(),
  }));
}
