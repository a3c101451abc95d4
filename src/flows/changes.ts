/** What happened to an item between two dispatches, in sentences for the agent. Pure. */
import type { ReviewVerdict } from '../vocabulary.ts';

/** An item as a dispatch saw it. Plain data: it is stored with the dispatch. */
export interface Snapshot {
  title: string;
  /** any digest of the description */
  bodyHash: string;
  state: 'open' | 'closed';
  labels: string[];
  assignees: string[];
  commentIds: number[];
  /** for an issue: null, null, false, false, [] and `none` */
  headSha: string | null;
  baseRef: string | null;
  draft: boolean;
  merged: boolean;
  reviews: SnapshotReview[];
  ci: { state: 'none' | 'pending' | 'success' | 'failure'; failed: string[] };
}

export interface SnapshotReview {
  id: number;
  /** login */
  author: string;
  verdict: ReviewVerdict;
  commitId: string;
}

/** Empty when there is nothing to compare with, or nothing changed. */
export function describeChanges(before: Snapshot | null, now: Snapshot): string[] {
  if (before === null) return [];
  return [
    ...stateChanges(before, now),
    ...headChanges(before, now),
    ...textChanges(before, now),
    ...setChanges('Labels', before.labels, now.labels),
    ...setChanges('Assignees', before.assignees, now.assignees),
    ...reviewChanges(before.reviews, now.reviews),
    ...ciChanges(before, now),
    ...commentChanges(before.commentIds, now.commentIds),
  ];
}

function stateChanges(before: Snapshot, now: Snapshot): string[] {
  if (!before.merged && now.merged) return ['It was merged.'];
  const sentences: string[] = [];
  if (before.state !== now.state)
    sentences.push(now.state === 'closed' ? 'It was closed.' : 'It was reopened.');
  if (before.draft !== now.draft) {
    sentences.push(now.draft ? 'It was made a draft.' : 'It is no longer a draft.');
  }
  return sentences;
}

function headChanges(before: Snapshot, now: Snapshot): string[] {
  const sentences: string[] = [];
  if (before.headSha !== now.headSha && now.headSha !== null) {
    const from = before.headSha === null ? '' : ` from ${short(before.headSha)}`;
    sentences.push(`The head commit moved${from} to ${short(now.headSha)}.`);
  }
  if (before.baseRef !== null && now.baseRef !== null && before.baseRef !== now.baseRef) {
    sentences.push(`The base branch changed from ${before.baseRef} to ${now.baseRef}.`);
  }
  return sentences;
}

function textChanges(before: Snapshot, now: Snapshot): string[] {
  const sentences: string[] = [];
  if (before.title !== now.title) sentences.push(`The title is now ${JSON.stringify(oneLine(now.title))}.`);
  if (before.bodyHash !== now.bodyHash) sentences.push('The description was edited.');
  return sentences;
}

function setChanges(what: string, before: readonly string[], now: readonly string[]): string[] {
  const added = now.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !now.includes(name));
  return [
    ...(added.length > 0 ? [`${what} added: ${names(added)}.`] : []),
    ...(removed.length > 0 ? [`${what} removed: ${names(removed)}.`] : []),
  ];
}

const VERDICTS: Record<ReviewVerdict, string> = {
  approved: 'approved',
  changes_requested: 'requested changes',
  commented: 'left a review',
};

function reviewChanges(before: readonly SnapshotReview[], now: readonly SnapshotReview[]): string[] {
  const known = new Map(before.map((review) => [review.id, review.verdict]));
  return now
    .filter((review) => known.get(review.id) !== review.verdict)
    .map((review) => {
      const commit = review.commitId === '' ? '' : ` (commit ${short(review.commitId)})`;
      return `${oneLine(review.author)} ${VERDICTS[review.verdict]}${commit}.`;
    });
}

function ciChanges(before: Snapshot, now: Snapshot): string[] {
  const same = before.ci.state === now.ci.state && names(before.ci.failed) === names(now.ci.failed);
  if (same && (before.headSha === now.headSha || now.ci.state === 'none')) return [];
  if (now.ci.state === 'failure') {
    return [now.ci.failed.length === 0 ? 'CI fails.' : `CI fails: ${names(now.ci.failed)}.`];
  }
  return {
    none: ['CI has no result for this commit.'],
    pending: ['CI is running.'],
    success: ['CI passes.'],
  }[now.ci.state];
}

function commentChanges(before: readonly number[], now: readonly number[]): string[] {
  const added = now.filter((id) => !before.includes(id)).length;
  const removed = before.filter((id) => !now.includes(id)).length;
  return [
    ...(added > 0 ? [added === 1 ? 'There is 1 new comment.' : `There are ${added} new comments.`] : []),
    ...(removed > 0 ? [removed === 1 ? '1 comment was deleted.' : `${removed} comments were deleted.`] : []),
  ];
}

function names(list: readonly string[]): string {
  return list.map(oneLine).join(', ');
}

/** Titles, labels and workflow names are other people's words and must stay on their line. */
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}

function short(sha: string): string {
  return sha.slice(0, 10);
}
