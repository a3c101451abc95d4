/** Which conversation an event belongs to: one agent's work on one item, and the items that joined it. */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import type { EventItem, RepositoryRef } from '../vocabulary.ts';

export interface ConversationAddress {
  forge: string;
  repository: RepositoryRef;
  number: number;
  agent: string;
}

export async function findConversation(
  rows: Rows,
  address: ConversationAddress,
): Promise<ConversationRow | undefined> {
  return await rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .selectAll('c')
    .where('i.forge', '=', address.forge)
    .where('i.repository_id', '=', address.repository.id)
    .where('i.number', '=', address.number)
    .where('i.agent', '=', address.agent)
    .executeTakeFirst();
}

/**
 * Finds or creates. A pull request whose text closes an issue this agent already works on joins that conversation, so
 * that review and work share one history; `mayJoin` is whether its author is trusted with that: a stranger's text would
 * stand in the history of somebody else's work, and the agent could write on their pull request.
 */
export async function resolveConversation(
  tx: Rows,
  address: ConversationAddress & { item: EventItem; mayJoin?: boolean; now: number },
): Promise<ConversationRow> {
  const known = await findConversation(tx, address);
  if (known !== undefined) return await withCurrentName(tx, known, address.repository);
  const issue = address.mayJoin === true ? await issueOf(tx, address) : undefined;
  if (issue !== undefined) {
    await joinConversation(tx, address, issue.id);
    return issue;
  }
  return await openConversation(tx, address);
}

/** For an item that this agent has no conversation on. */
export async function openConversation(
  tx: Rows,
  address: ConversationAddress & { item: EventItem; now: number },
): Promise<ConversationRow> {
  const conversation: ConversationRow = {
    id: randomUUID(),
    forge: address.forge,
    repository_id: address.repository.id,
    repository_name: address.repository.fullName,
    agent: address.agent,
    item_number: address.number,
    item_kind: address.item.kind,
    title: address.item.title,
    branch: null,
    seen: null,
    created_at: address.now,
    updated_at: address.now,
    lease_worker: null,
    lease_token: 0,
    lease_until: 0,
  };
  await tx.insertInto('conversations').values(conversation).execute();
  await joinConversation(tx, address, conversation.id);
  return conversation;
}

/** The conversation of the first issue that a pull request's text closes, where there is one. */
export async function issueOf(
  rows: Rows,
  address: Omit<ConversationAddress, 'number'> & { item: EventItem },
): Promise<ConversationRow | undefined> {
  if (address.item.kind !== 'pull') return undefined;
  for (const number of closedIssues(address.item.body)) {
    const issue = await findConversation(rows, { ...address, number });
    if (issue !== undefined) return issue;
  }
  return undefined;
}

/** Renames and transfers send no event: the next one about any item brings the new name. */
async function withCurrentName(
  tx: Rows,
  conversation: ConversationRow,
  { fullName }: RepositoryRef,
): Promise<ConversationRow> {
  if (conversation.repository_name === fullName) return conversation;
  await renameRepository(tx, conversation, fullName);
  return { ...conversation, repository_name: fullName };
}

/** For all its conversations: one that kept the old name would be worked on beside whatever is called so next. */
export async function renameRepository(
  tx: Rows,
  repository: Pick<ConversationRow, 'forge' | 'repository_id'>,
  fullName: string,
): Promise<void> {
  await tx
    .updateTable('conversations')
    .set({ repository_name: fullName })
    .where('forge', '=', repository.forge)
    .where('repository_id', '=', repository.repository_id)
    .where('repository_name', '!=', fullName)
    .execute();
}

/** Adds an item (usually the pull request we opened) to a conversation; an item already in one stays there. */
export async function joinConversation(
  tx: Rows,
  address: ConversationAddress,
  conversationId: string,
): Promise<void> {
  await tx
    .insertInto('conversation_items')
    .values({
      forge: address.forge,
      repository_id: address.repository.id,
      number: address.number,
      agent: address.agent,
      conversation_id: conversationId,
    })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number', 'agent']).doNothing())
    .execute();
}

/** The forges' closing keywords, for issues of the same repository. */
const CLOSES = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:\s]+#(\d+)\b/gi;

/** The largest number that PostgreSQL takes for an item. */
const LARGEST_NUMBER = 2_147_483_647;

export function closedIssues(text: string): number[] {
  return [...text.matchAll(CLOSES)].map((m) => Number(m[1])).filter((number) => number <= LARGEST_NUMBER);
}
