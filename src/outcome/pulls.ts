/** The pull requests of a conversation, whether the service opened them at the end or the agent by a tool. */
import { ForgeRefused } from '../errors.ts';
import type { Item } from '../forges/forge.ts';
import { planLook } from '../inbox/looks.ts';
import { itemKey } from '../item-key.ts';
import { joinConversation } from '../mailbox/conversations.ts';
import type { DispatchKey, RepositoryRef } from '../vocabulary.ts';
import type { EffectDeps } from './effects.ts';
import type { OutgoingForge } from './outgoing-forge.ts';

/** Kind of the effect of the broker's tool. */
export const OPEN_PULL_TOOL = 'tool:open_pull';

/** Whether a pull request of this conversation was opened before now; the one being published now does not count. */
export async function openedEarlier(deps: EffectDeps, now: DispatchKey): Promise<boolean> {
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
  // guard: branches: changed base
  return own.find(intoBase) ?? own[0] ?? pulls.find(intoBase) ?? null;
}

export function otherBase(number: number, base: string, expected: string): string {
  return `#${number} goes into ${base} and not into ${expected}; the work goes on there. Change its base on the forge if that is wrong.`;
}

/** The prefixes that both forges come with, and what people write in their place. */
const DRAFT_PREFIX = /^\s*(?:\[(?:wip|draft)\]|\((?:wip|draft)\)|(?:wip|draft)\s*:)\s*/i;

/** "WIP: …" on an issue says that the issue is not finished; on a pull request it makes a draft. */
export function withoutDraftPrefix(title: string): string {
  let rest = title;
  // guard: an issue in progress gives no draft
  while (DRAFT_PREFIX.test(rest)) rest = rest.replace(DRAFT_PREFIX, '');
  return rest;
}

/**
 * Draft prefixes are configured on the server, and no API shows them. A new pull request that is a draft has a prefix we
 * do not know; putting the number in front ends that, because only a prefix counts.
 */
export async function readyForReview(
  deps: { forge: Pick<OutgoingForge, 'updatePull'> },
  { repository, closes }: { repository: RepositoryRef; closes: number | null },
  pull: Pick<Item, 'number' | 'title' | 'pull'>,
): Promise<{ number: number }> {
  if (pull.pull?.draft === true) {
    try {
      await deps.forge.updatePull(repository, pull.number, {
        title: `#${closes ?? pull.number}: ${pull.title}`,
      });
    } catch (error) {
      // It is open, and a draft: people can take the prefix off.
      if (!(error instanceof ForgeRefused)) throw error;
    }
  }
  return { number: pull.number };
}

/** Said to people and to agents: the forge takes no second pull request of the same branches. */
export function openedByAnother(pull: Pick<Item, 'number' | 'author'>, branch: string): string {
  return `#${pull.number} of the branch ${branch} was opened by ${pull.author.login} and not by this agent, so it is not part of this conversation. Close it, and ask the agent once more, to get one of its own.`;
}

/** Later events on the pull request go to this conversation, and results of CI from before it was open are looked up. */
export async function joinPull(
  deps: EffectDeps,
  { key: { conversationId }, agent }: { key: Pick<DispatchKey, 'conversationId'>; agent: string },
  pull: { forge: string; repository: RepositoryRef; number: number },
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const item = itemKey(pull, { kind: 'pull', number: pull.number });
    await joinConversation(tx, { item, agent }, conversationId);
    // guard: ci: look at the new pull request
    await planLook(tx, { ...pull, cause: conversationId, now: deps.now() });
  });
}
