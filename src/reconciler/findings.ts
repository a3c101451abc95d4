/** What the rules have found, as rows: found once, seen again, over. */
import type { Rows } from '../database/database.ts';
import type { RuleName } from '../vocabulary.ts';
import type { Finding } from './rules.ts';

export interface Seen {
  rule: RuleName;
  forge: string;
  found: readonly Finding[];
  now: number;
}

/** What is not found any more is over. */
export async function keepFindings(tx: Rows, { rule, forge, found, now }: Seen): Promise<void> {
  for (const one of found) {
    const told = { why: one.why, remedy: one.remedy, seen_at: now, over_at: null };
    await tx
      .insertInto('rule_findings')
      .values({
        rule,
        subject: one.subject,
        forge,
        repository_name: one.repository.fullName,
        item_number: one.number,
        agent: one.agent,
        conversation_id: one.conversationId,
        found_at: now,
        ...told,
      })
      .onConflict((c) => c.columns(['rule', 'subject']).doUpdateSet(told))
      .execute();
  }
  await tx
    .updateTable('rule_findings')
    .set({ over_at: now })
    .where('rule', '=', rule)
    .where('forge', '=', forge)
    .where('over_at', 'is', null)
    .where('seen_at', '<', now)
    .execute();
}

/** About one thing a rule acts at most once in this time. */
const AGAIN_MS = 6 * 3600_000;

/**
 * Takes the right to act, before anything is done: a crash after it costs one act, and never doubles one. False when the rule
 * acted on it within six hours.
 */
export async function claimAct(
  tx: Rows,
  { rule, subject, now }: { rule: RuleName; subject: string; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('rule_findings')
    .set({ acted_at: now })
    .where('rule', '=', rule)
    .where('subject', '=', subject)
    // guard: stuck: once in six hours
    .where((e) => e.or([e('acted_at', 'is', null), e('acted_at', '<=', now - AGAIN_MS)]))
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function noteDone(
  tx: Rows,
  { rule, subject, did }: { rule: RuleName; subject: string; did: string },
): Promise<void> {
  await tx
    .updateTable('rule_findings')
    .set({ did })
    .where('rule', '=', rule)
    .where('subject', '=', subject)
    .execute();
}
