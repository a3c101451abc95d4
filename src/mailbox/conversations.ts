/** Which conversation an event belongs to: one agent's work on one item, and the items that joined it. */
import { randomUUID } from 'node:crypto';
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { type ItemKey, itemKey } from '../item-key.ts';
import type { EventItem, RepositoryRef } from '../vocabulary.ts';

/** One agent's work on one item. */
export interface ConversationKey {
  item: ItemKey;
  agent: string;
}

export async function findConversation(
  rows: Rows,
  { item, agent }: ConversationKey,
): Promise<ConversationRow | undefined> {
  return await byNumber(rows, { ...item, agent })
    // guard: kind of an item: conversations
    .where('i.kind', '=', item.kind)
    .executeTakeFirst();
}

function byNumber(rows: Rows, { forge, repositoryId, number, agent }: NumberKey) {
  return rows
    .selectFrom('conversation_items as i')
    .innerJoin('conversations as c', 'c.id', 'i.conversation_id')
    .selectAll('c')
    .where('i.forge', '=', forge)
    .where('i.repository_id', '=', repositoryId)
    .where('i.number', '=', number)
    .where('i.agent', '=', agent);
}

type NumberKey = Omit<ItemKey, 'kind'> & { agent: string };

/**
 * For a text that says `#5` without a kind. Where the repository has an issue and a pull request of this number, it is
 * the issue.
 */
async function findByNumber(rows: Rows, key: NumberKey): Promise<ConversationRow | undefined> {
  return await byNumber(rows, key)
    .orderBy((e) => e.case().when('i.kind', '=', 'issue').then(0).else(1).end())
    .executeTakeFirst();
}

export async function conversationsById(rows: Rows, ids: readonly string[]): Promise<ConversationRow[]> {
  if (ids.length === 0) return [];
  return await rows.selectFrom('conversations').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

/** An item that an event is about, and the agent that it wakes. */
export interface ConversationAddress {
  forge: string;
  repository: RepositoryRef;
  item: EventItem;
  agent: string;
}

/**
 * Finds or creates a conversation. A pull request whose text closes an issue this agent already works on joins that
 * conversation, so that review and work share one history. `mayJoin` says whether its author is trusted with that:
 * otherwise a stranger's text would stand in the history of somebody else's work, and the agent could write on the
 * stranger's pull request.
 */
export async function resolveConversation(
  tx: Rows,
  address: ConversationAddress & { mayJoin?: boolean; now: number },
): Promise<ConversationRow> {
  const key = { item: itemKey(address, address.item), agent: address.agent };
  const known = await findConversation(tx, key);
  if (known !== undefined) return await withCurrentName(tx, known, address.repository);
  const issue = address.mayJoin === true ? await issueOf(tx, address) : undefined;
  if (issue !== undefined) {
    await joinConversation(tx, key, issue.id);
    return issue;
  }
  const conversation: ConversationRow = {
    id: randomUUID(),
    forge: address.forge,
    repository_id: address.repository.id,
    repository_name: address.repository.fullName,
    agent: address.agent,
    item_number: address.item.number,
    item_kind: address.item.kind,
    title: address.item.title,
    branch: null,
    seen: null,
    created_at: address.now,
    updated_at: address.now,
    lease_worker: null,
    lease_token: 0,
    lease_until: 0,
    fresh_asked: null,
  };
  await tx.insertInto('conversations').values(conversation).execute();
  await joinConversation(tx, key, conversation.id);
  return conversation;
}

/** The conversation of the first issue that a pull request's text closes, if there is one. */
async function issueOf(
  rows: Rows,
  { forge, repository, item, agent }: ConversationAddress,
): Promise<ConversationRow | undefined> {
  if (item.kind !== 'pull') return undefined;
  for (const number of closedIssues(item.body)) {
    const issue = await findByNumber(rows, { forge, repositoryId: repository.id, number, agent });
    if (issue !== undefined) return issue;
  }
  return undefined;
}

/** Renames and transfers send no event, so the new name comes with the next event about any item. */
async function withCurrentName(
  tx: Rows,
  conversation: ConversationRow,
  { fullName }: RepositoryRef,
): Promise<ConversationRow> {
  if (conversation.repository_name === fullName) return conversation;
  await renameRepository(tx, conversation, fullName);
  return { ...conversation, repository_name: fullName };
}

/**
 * All conversations of the repository are renamed at once. One that kept the old name would act on whichever repository
 * has that name next.
 */
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
  { item, agent }: ConversationKey,
  conversationId: string,
): Promise<void> {
  await tx
    .insertInto('conversation_items')
    .values({
      forge: item.forge,
      repository_id: item.repositoryId,
      number: item.number,
      kind: item.kind,
      agent,
      conversation_id: conversationId,
    })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number', 'kind', 'agent']).doNothing())
    .execute();
}

/** The forges' closing keywords, for issues of the same repository. */
const CLOSES = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:\s]+#(\d+)\b/gi;

/** The largest number that PostgreSQL takes for an item. */
const LARGEST_NUMBER = 2_147_483_647;

export function closedIssues(text: string): number[] {
  return [...text.matchAll(CLOSES)].map((m) => Number(m[1])).filter((number) => number <= LARGEST_NUMBER);
}
