/**
 * Rules: what no event tells, each with a name. A rule only finds; what is found is a row, and what is done about it is the
 * operator's choice. Each is asked once in a while, because most of them ask the forge.
 */

import type { ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import type { Database } from '../database/database.ts';
import type { ChangedItem } from '../forges/changes.ts';
import type { Forge } from '../forges/forge.ts';
import type { RepositoryRef, RuleName } from '../vocabulary.ts';
import type { LookForge } from './looking.ts';

export interface RuleDeps {
  database: Database;
  forge: ForgeConfig;
  client: (agent: string) => RuleForge;
  now: () => number;
}

export type RuleForge = LookForge & Pick<Forge, 'getItem'>;

export interface Finding {
  /** with the rule it is the key: the same thing found again is one row */
  subject: string;
  repository: RepositoryRef;
  number: number;
  agent: string | null;
  conversationId: string | null;
  /** a sentence for a person */
  why: string;
  /** what a person may do about it: a sentence */
  remedy: string;
}

export type Rule = (deps: RuleDeps) => Promise<Finding[]>;

export const RULE_BOOK: Readonly<Record<RuleName, Rule>> = {
  'merged-issue-open': mergedIssueOpen,
  'review-never-began': (deps) => neverBegan(deps, 'review-requested'),
  'assigned-without-conversation': (deps) => neverBegan(deps, 'assigned'),
  'success-without-effect': successWithoutEffect,
};

/** An event needs so long to become a conversation, a webhook that was lost as long as a look. */
const GRACE_MS = 15 * 60_000;

async function neverBegan(deps: RuleDeps, what: 'assigned' | 'review-requested'): Promise<Finding[]> {
  const { forge, client, now } = deps;
  const findings: Finding[] = [];
  for (const [agent, { login }] of Object.entries(forge.accounts)) {
    const open = await client(agent).openForSelf(what);
    if ('why' in open) continue;
    for (const item of open.items) {
      const { repository, number, updatedAt } = item;
      if (!isListed(forge, repository.fullName) || Date.parse(updatedAt) > now() - GRACE_MS) continue;
      if (await hasConversation(deps, { item, agent })) continue;
      const did = what === 'assigned' ? `${login} is assigned to it` : `${login} was asked to review it`;
      findings.push({
        subject: `${forge.name}:${repository.id}#${number}:${agent}`,
        repository,
        number,
        agent,
        conversationId: null,
        why: `${did}, and no conversation of agent ${agent} began`,
        remedy:
          'Look why with `claude-hooks explain` and the item; ask again on the forge to begin it, or set the rule to act.',
      });
    }
  }
  return findings;
}

async function hasConversation(
  { database, forge }: RuleDeps,
  { item, agent }: { item: ChangedItem; agent: string },
): Promise<boolean> {
  const found = await database.rows
    .selectFrom('conversation_items')
    .select('conversation_id')
    .where('forge', '=', forge.name)
    .where('repository_id', '=', item.repository.id)
    .where('number', '=', item.number)
    .where('agent', '=', agent)
    .executeTakeFirst();
  return found !== undefined;
}

/** Merges older than this were seen by people. */
const RECENT_MS = 14 * 24 * 3600_000;
const MOST = 50;

/** Of conversations that began on an issue: one whose pull request was merged, while the issue is open. */
async function mergedIssueOpen({ database, forge, client, now }: RuleDeps): Promise<Finding[]> {
  const merged = await database.rows
    .selectFrom('deliveries as d')
    .innerJoin('events as e', 'e.id', 'd.event_id')
    .innerJoin('conversation_items as n', (join) =>
      join.onRef('n.forge', '=', 'd.forge').onRef('n.number', '=', 'd.item_number').on('n.kind', '=', 'pull'),
    )
    .innerJoin('conversations as c', 'c.id', 'n.conversation_id')
    .select(['c.id', 'c.agent', 'c.repository_id', 'c.repository_name', 'c.item_number', 'n.number'])
    .whereRef('c.repository_name', '=', 'd.repository_name')
    .where('d.forge', '=', forge.name)
    .where('d.event_name', '=', 'pull.merged')
    .where('d.received_at', '>', now() - RECENT_MS)
    .where('d.received_at', '<', now() - GRACE_MS)
    .where('c.item_kind', '=', 'issue')
    .distinct()
    .limit(MOST)
    .execute();
  const findings: Finding[] = [];
  for (const row of merged) {
    const repository = { id: row.repository_id, fullName: row.repository_name };
    if (!Object.hasOwn(forge.accounts, row.agent)) continue;
    const issue = await client(row.agent).getItem(repository, row.item_number);
    if (issue.state !== 'open') continue;
    findings.push({
      subject: `${forge.name}:${row.repository_id}#${row.item_number}:${row.number}`,
      repository,
      number: row.item_number,
      agent: row.agent,
      conversationId: row.id,
      why: `its pull request #${row.number} was merged, and the issue is still open`,
      remedy: 'Close the issue, or say on it what is left to do.',
    });
  }
  return findings;
}

/** The last dispatch of a conversation ended well, and nothing of what its skill promised is there. */
async function successWithoutEffect({ database, forge, now }: RuleDeps): Promise<Finding[]> {
  const found = await database.rows
    .selectFrom('progress as p')
    .innerJoin('conversations as c', 'c.id', 'p.conversation_id')
    .select(['c.id', 'c.agent', 'c.repository_id', 'c.repository_name', 'c.item_number', 'p.without'])
    .where('c.forge', '=', forge.name)
    .where('p.without', '>', 0)
    .where('p.at', '>', now() - RECENT_MS)
    .orderBy('p.at', 'desc')
    .limit(MOST)
    .execute();
  return found.map((row) => ({
    subject: `${forge.name}:${row.id}`,
    repository: { id: row.repository_id, fullName: row.repository_name },
    number: row.item_number,
    agent: row.agent,
    conversationId: row.id,
    why: `the last ${row.without} dispatch(es) succeeded and left nothing of what their skill promises`,
    remedy: 'Read the answers with `claude-hooks conversations` and write to the agent, or take it off.',
  }));
}
