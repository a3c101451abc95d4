/** What happened to an item between two dispatches, in sentences for the agent. Pure. */
import type { ReviewVerdict } from '../vocabulary.ts';

/** An item as a dispatch saw it. Plain data: it is stored with the dispatch. */
export interface Snapshot {
  title: string;
  /** a digest of the description; which kind does not matter */
  bodyHash: string;
  state: 'open' | 'closed';
  labels: string[];
  assignees: string[];
  commentIds: number[];
  /** ids of others' remarks on lines and replies to them; rows of older releases do not have it */
  inlineIds?: number[];
  /** values for an issue: null, null, false, false, [] and `none` */
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

/**
 * How other people's words are put into our sentences: each is answered on one line, in quotes, with its author.
 */
export interface ChangeWords {
  title(text: string): string;
  /** name of a label, a branch of the repository or an assignee: the forge does not say who chose it */
  name(text: string): string;
  /** of a CI job */
  job(text: string): string;
  /** of whoever wrote a review */
  reviewer(login: string): string;
}

/** Empty when there is nothing to compare with, or when nothing changed. */
export function describeChanges(before: Snapshot | null, now: Snapshot, words: ChangeWords): string[] {
  if (before === null) return [];
  return [
    ...stateChanges(before, now),
    ...headChanges(before, now, words),
    ...textChanges(before, now, words),
    ...setChanges('Labels', before.labels, now.labels, words),
    ...setChanges('Assignees', before.assignees, now.assignees, words),
    ...reviewChanges(before.reviews, now.reviews, words),
    ...ciChanges(before, now, words),
    ...countChanges('comment', before.commentIds, now.commentIds),
    ...countChanges('inline comment', before.inlineIds ?? now.inlineIds ?? [], now.inlineIds ?? []),
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

function headChanges(before: Snapshot, now: Snapshot, { name }: ChangeWords): string[] {
  const sentences: string[] = [];
  if (before.headSha !== now.headSha && now.headSha !== null) {
    const from = before.headSha === null ? '' : ` from ${short(before.headSha)}`;
    sentences.push(`The head commit moved${from} to ${short(now.headSha)}.`);
  }
  if (before.baseRef !== null && now.baseRef !== null && before.baseRef !== now.baseRef) {
    sentences.push(`The base branch changed from ${name(before.baseRef)} to ${name(now.baseRef)}.`);
  }
  return sentences;
}

function textChanges(before: Snapshot, now: Snapshot, { title }: ChangeWords): string[] {
  const sentences: string[] = [];
  if (before.title !== now.title) sentences.push(`The title is now ${title(now.title)}.`);
  if (before.bodyHash !== now.bodyHash) sentences.push('The description was edited.');
  return sentences;
}

function setChanges(
  what: string,
  before: readonly string[],
  now: readonly string[],
  { name }: ChangeWords,
): string[] {
  const added = now.filter((one) => !before.includes(one)).map(name);
  const removed = before.filter((one) => !now.includes(one)).map(name);
  return [
    ...(added.length > 0 ? [`${what} added: ${added.join(', ')}.`] : []),
    ...(removed.length > 0 ? [`${what} removed: ${removed.join(', ')}.`] : []),
  ];
}

const VERDICTS: Record<ReviewVerdict, string> = {
  approved: 'approved',
  changes_requested: 'requested changes',
  commented: 'left a review',
};

function reviewChanges(
  before: readonly SnapshotReview[],
  now: readonly SnapshotReview[],
  { reviewer }: ChangeWords,
): string[] {
  const known = new Map(before.map((review) => [review.id, review.verdict]));
  return now
    .filter((review) => known.get(review.id) !== review.verdict)
    .map((review) => {
      const commit = review.commitId === '' ? '' : ` (commit ${short(review.commitId)})`;
      return `${reviewer(review.author)} ${VERDICTS[review.verdict]}${commit}.`;
    });
}

function ciChanges(before: Snapshot, now: Snapshot, { job }: ChangeWords): string[] {
  const same = before.ci.state === now.ci.state && before.ci.failed.join('\n') === now.ci.failed.join('\n');
  if (same && (before.headSha === now.headSha || now.ci.state === 'none')) return [];
  if (now.ci.state === 'failure') {
    return [now.ci.failed.length === 0 ? 'CI fails.' : `CI fails: ${now.ci.failed.map(job).join(', ')}.`];
  }
  return {
    none: ['CI has no result for this commit.'],
    pending: ['CI is running.'],
    success: ['CI passes.'],
  }[now.ci.state];
}

function countChanges(what: string, before: readonly number[], now: readonly number[]): string[] {
  const [known, left] = [new Set(before), new Set(now)];
  const added = now.filter((id) => !known.has(id)).length;
  const removed = before.filter((id) => !left.has(id)).length;
  return [
    ...(added > 0 ? [added === 1 ? `There is 1 new ${what}.` : `There are ${added} new ${what}s.`] : []),
    ...(removed > 0 ? [removed === 1 ? `1 ${what} was deleted.` : `${removed} ${what}s were deleted.`] : []),
  ];
}

function short(sha: string): string {
  return sha.slice(0, 10);
}
