/**
 * Which conversation a commit comes from. CI reports about commits, and often does so before there is a pull request.
 */
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';

export interface PushedCommit {
  conversation: Pick<ConversationRow, 'id' | 'forge' | 'repository_id'>;
  sha: string;
  now: number;
}

export async function recordPush(rows: Rows, { conversation, sha, now }: PushedCommit): Promise<void> {
  await rows
    .insertInto('pushed_commits')
    .values({
      forge: conversation.forge,
      repository_id: conversation.repository_id,
      sha,
      conversation_id: conversation.id,
      at: now,
    })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'sha', 'conversation_id']).doNothing())
    .execute();
}

/** The newest conversation that pushed this commit. */
export async function pusherOf(
  rows: Rows,
  commit: { forge: string; repositoryId: string; sha: string },
): Promise<ConversationRow | undefined> {
  return await rows
    .selectFrom('pushed_commits as p')
    .innerJoin('conversations as c', 'c.id', 'p.conversation_id')
    .selectAll('c')
    .where('p.forge', '=', commit.forge)
    .where('p.repository_id', '=', commit.repositoryId)
    .where('p.sha', '=', commit.sha)
    .orderBy('p.at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function hasPushed(rows: Rows, conversationId: string, sha: string): Promise<boolean> {
  const row = await rows
    .selectFrom('pushed_commits')
    .select('at')
    .where('conversation_id', '=', conversationId)
    .where('sha', '=', sha)
    .executeTakeFirst();
  return row !== undefined;
}
