/** The pull requests of a conversation, whether the service opened them at the end or the agent by a tool. */
import type { Item } from '../forge/forge.ts';
import { joinConversation } from '../mailbox/conversations.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { EffectDeps } from './effects.ts';

/** Kind of the effect of the broker's tool. */
export const OPEN_PULL_TOOL = 'tool:open_pull';

/** Whether a pull request of this conversation was opened before now; the one being published now does not count. */
export async function openedEarlier(
  deps: EffectDeps,
  now: { dispatchId: string; conversationId: string },
): Promise<boolean> {
  const earlier = await deps.database.rows
    .selectFrom('effects')
    .select('id')
    .where('conversation_id', '=', now.conversationId)
    .where('state', '=', 'done')
    .where((e) =>
      e.or([
        e('kind', '=', OPEN_PULL_TOOL),
        e.and([e('kind', '=', 'pull'), e('dispatch_id', '!=', now.dispatchId)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return earlier !== undefined;
}

/**
 * Of the open pull requests of one branch, ours counts whatever its base is: people change that. Somebody else's stands
 * in the way only where it goes into the same base.
 */
export function choosePull(
  pulls: readonly Item[],
  { base, isOurs }: { base: string; isOurs: (user: Item['author']) => boolean },
): Item | null {
  const intoBase = (one: Item) => one.pull?.baseRef === base;
  const own = pulls.filter((one) => isOurs(one.author));
  return own.find(intoBase) ?? own[0] ?? pulls.find(intoBase) ?? null;
}

export function otherBase(number: number, base: string, expected: string): string {
  return `#${number} goes into ${base} and not into ${expected}; the work goes on there. Change its base on the forge if that is wrong.`;
}

/** Said to people and to agents: the forge takes no second pull request of the same branches. */
export function openedByAnother(pull: Pick<Item, 'number' | 'author'>, branch: string): string {
  return `#${pull.number} of the branch ${branch} was opened by ${pull.author.login} and not by this agent, so it is not part of this conversation. Close it, and ask the agent once more, to get one of its own.`;
}

/** What happens on it from now on goes on in this conversation. */
export async function joinPull(
  deps: EffectDeps,
  conversation: { conversationId: string; agent: string },
  pull: { forge: string; repository: RepositoryRef; number: number },
): Promise<void> {
  await joinConversation(
    deps.database.rows,
    { ...pull, agent: conversation.agent },
    conversation.conversationId,
  );
}
