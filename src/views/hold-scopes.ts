/** Reads what an operator writes to name what is held: all, a credential, an agent, a repository, a conversation. */
import type { Rows } from '../database/database.ts';
import { NotFound } from '../errors.ts';
import {
  agentScope,
  conversationScope,
  credentialScope,
  EVERYTHING,
  type HoldScope,
  repositoryScope,
} from '../mailbox/holds.ts';
import { oneLine } from '../terminal-text.ts';
import { findConversations, isPrefix, REPOSITORY, readReference } from './references.ts';

export interface Known {
  forges: Readonly<Record<string, { url: string }>>;
  agents: ReadonlyMap<string, unknown>;
}

export const WHAT =
  'all, agent:<name>, owner/name, an item as owner/name#12 or its address, the id of a conversation, credential, or model:<name>';

/** More than one where several agents work on one item. Throws NotFound. */
export async function readHoldScopes(rows: Rows, text: string, known: Known): Promise<HoldScope[]> {
  const asked = text.trim();
  if (asked === 'all') return [EVERYTHING];
  if (asked === 'credential') return [credentialScope(null)];
  const [, kind, name] = /^(agent|model):(\S+)$/.exec(asked) ?? [];
  if (kind === 'model') return [credentialScope(name!)];
  if (kind === 'agent') {
    if (known.agents.has(name!)) return [agentScope(name!)];
    throw new NotFound(
      `No agent is called ${oneLine(name!)}. The configuration has ${[...known.agents.keys()].join(', ')}.`,
    );
  }
  const [, forge, repository] = REPOSITORY.exec(asked) ?? [];
  if (repository !== undefined) return await repositoriesCalled(rows, { forge: forge ?? null, repository });
  const found = await findConversations(rows, readReference(asked, known.forges));
  if (found.length > 0) return found.map(conversationScope);
  throw new NotFound(`Nothing is named by ${oneLine(asked)}. Give ${WHAT}.`);
}

async function repositoriesCalled(
  rows: Rows,
  { forge, repository }: { forge: string | null; repository: string },
): Promise<HoldScope[]> {
  let query = rows
    .selectFrom('conversations')
    .select(['forge', 'repository_id', 'repository_name'])
    .distinct()
    .where((e) => e(e.fn<string>('lower', ['repository_name']), '=', repository.toLowerCase()));
  if (forge !== null) query = query.where('forge', '=', forge);
  const found = await query.execute();
  if (found.length > 0) return found.map(repositoryScope);
  throw new NotFound(
    `There is no conversation in a repository called ${oneLine(repository)} yet. Check the name: \`claude-hooks conversations\` lists them; \`hold all\` holds everything.`,
  );
}

/** The ids of holds in force that this begins, or is. */
export async function holdsCalled(rows: Rows, text: string): Promise<string[]> {
  const id = text.trim().toLowerCase();
  if (!isPrefix(id)) return [];
  const found = await rows
    .selectFrom('holds')
    .select('id')
    .where('ended_at', 'is', null)
    .where('id', 'like', `${id}%`)
    .execute();
  return found.map((hold) => hold.id);
}
