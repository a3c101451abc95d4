/** Branch protection, as far as merging goes, and merges that wait for it. */
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import {
  openPulls,
  type PullItem,
  repositoryById,
  requirePermission,
  userById,
} from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { type MergeCall, mergePull } from './pocket-forge-pulls.ts';
import { newestStatuses } from './pocket-forge-runs.ts';
import type { StoredProtection, StoredRepository, StoredUser } from './pocket-forge-state.ts';

export function protectionOf(repository: StoredRepository, branch: string): StoredProtection | undefined {
  return repository.protections?.find((rule) => rule.branch === branch);
}

/** Replaces the rule of the same branch. */
export function protect(
  repository: StoredRepository,
  { actor, rule }: { actor: StoredUser; rule: StoredProtection },
): void {
  requirePermission(repository, actor, 'admin');
  const others = (repository.protections ?? []).filter(({ branch }) => branch !== rule.branch);
  repository.protections = [...others, rule];
}

/** The first rule that is not met, in words; null when the merge is allowed. */
function unmetRule(context: PocketContext, item: PullItem): string | null {
  const repository = repositoryById(context.state, item.repository);
  const rule = protectionOf(repository, item.pull.baseRef);
  if (rule === undefined) return null;
  const statuses = newestStatuses(context, repository, item.pull.headSha);
  const missing = rule.contexts.filter(
    (name) =>
      !statuses.some((s) => s.context === name && ['success', 'skipped', 'warning'].includes(s.state)),
  );
  if (missing.length > 0) return `Not all required status checks successful: ${missing.join(', ')}`;
  const verdicts = lastVerdicts(context, item);
  const approvals = verdicts.filter((state) => state === 'APPROVED').length;
  if (approvals < rule.approvals) return `Does not have enough approvals: ${approvals} of ${rule.approvals}`;
  if (rule.blockOnRejectedReviews && verdicts.includes('REQUEST_CHANGES'))
    return 'There are requested changes';
  return null;
}

/** The last vote of each account. */
function lastVerdicts(context: PocketContext, item: PullItem): string[] {
  const last = new Map<number, string>();
  for (const review of context.state.reviews.filter((r) => r.item === item.id)) {
    if (review.state === 'APPROVED' || review.state === 'REQUEST_CHANGES')
      last.set(review.author, review.state);
  }
  return [...last.values()];
}

/** Throws ForgeRefused 405. */
export function requireRules(context: PocketContext, item: PullItem): void {
  const unmet = unmetRule(context, item);
  if (unmet !== null) throw new ForgeRefused(`${unmet}. Meet the rules of the branch, then try again.`, 405);
}

/**
 * Remembers the merge. As on Forgejo, nothing is looked at now: with every check green already it waits for the next
 * success or approval, maybe for ever.
 */
export function scheduleMerge(context: PocketContext, call: MergeCall): void {
  const { item, actor } = call;
  requirePermission(repositoryById(context.state, item.repository), actor, 'write');
  if (item.state === 'closed')
    throw new ForgeRefused('The pull request is not open. Nothing is left to do.', 405);
  if (item.pull.scheduled !== undefined) {
    throw new ForgeRefused('The merge is scheduled already. Cancel it with DELETE first.', 409);
  }
  const { style, title, message, deleteBranch } = call;
  item.pull.scheduled = {
    by: actor.id,
    style,
    title: title ?? '',
    message: message ?? '',
    deleteBranch: deleteBranch === true,
  };
}

export function cancelMerge(context: PocketContext, o: { item: PullItem; actor: StoredUser }): void {
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, 'write');
  if (o.item.pull.scheduled === undefined) {
    throw new ForgeMissing('No merge is scheduled here. Schedule one with POST.');
  }
  delete o.item.pull.scheduled;
}

/** After a status that succeeded, or an approval. One that cannot be made now stays scheduled. */
export async function mergeScheduled(context: PocketContext, repository: StoredRepository): Promise<void> {
  for (const item of openPulls(context.state, repository)) {
    const { scheduled } = item.pull;
    if (scheduled === undefined || unmetRule(context, item) !== null) continue;
    const call = { ...scheduled, item, actor: userById(context.state, scheduled.by) };
    try {
      await mergePull(context, call);
      delete item.pull.scheduled;
    } catch (error) {
      if (!(error instanceof ForgeRefused)) throw error;
    }
  }
}
