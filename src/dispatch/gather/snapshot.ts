/** What a run has seen of an item, kept to tell the next run what changed since. Pure. */
import { createHash } from 'node:crypto';
import type { Snapshot } from '../../flows/changes.ts';
import type { CiState, Comment, Item, Review } from '../../forges/forge.ts';

export function snapshotOf(
  item: Item,
  comments: Comment[],
  reviews: Omit<Review, 'inline'>[],
  ci: CiState,
): Snapshot {
  return {
    title: item.title,
    bodyHash: createHash('sha256').update(item.body).digest('hex'),
    state: item.state,
    labels: item.labels,
    assignees: item.assignees,
    commentIds: comments.map((c) => c.id),
    headSha: item.pull?.headSha ?? null,
    baseRef: item.pull?.baseRef ?? null,
    draft: item.pull?.draft ?? false,
    merged: item.pull?.merged ?? false,
    reviews: reviews.map((r) => ({
      id: r.id,
      author: r.author.login,
      verdict: r.verdict,
      commitId: r.commitId,
    })),
    ci,
  };
}
