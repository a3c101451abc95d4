/**
 * Which fields are null for which events, whatever is delivered. A condition on such a field is a mistake.
 */
import { EVENT_NAMES, type ForgeEvent, type ForgeEventName } from '../vocabulary.ts';

type Nullable = { [K in keyof ForgeEvent]: null extends ForgeEvent[K] ? K : never }[keyof ForgeEvent];

const ISSUES = ['pull', 'comment', 'review', 'ci', 'push', 'requestedReviewer'] as const;
const PULLS = ['comment', 'review', 'ci', 'push', 'requestedReviewer'] as const;
const REVIEWERS = ['comment', 'review', 'ci', 'push'] as const;
const COMMENTS = ['review', 'ci', 'push', 'requestedReviewer'] as const;
const CI = ['comment', 'review', 'push', 'requestedReviewer'] as const;

const ALWAYS_NULL: Readonly<Record<ForgeEventName, readonly Nullable[]>> = {
  'issue.opened': ISSUES,
  'issue.assigned': ISSUES,
  'issue.unassigned': ISSUES,
  'issue.labeled': ISSUES,
  'issue.edited': ISSUES,
  'issue.closed': ISSUES,
  'issue.reopened': ISSUES,
  'comment.created': COMMENTS,
  'comment.edited': COMMENTS,
  'comment.deleted': COMMENTS,
  'pull.opened': PULLS,
  'pull.assigned': PULLS,
  'pull.unassigned': PULLS,
  'pull.labeled': PULLS,
  'pull.edited': PULLS,
  'pull.synchronized': PULLS,
  'pull.closed': PULLS,
  'pull.merged': PULLS,
  'pull.reopened': PULLS,
  'pull.review_requested': REVIEWERS,
  'pull.review_request_removed': REVIEWERS,
  'review.submitted': ['comment', 'ci', 'push', 'requestedReviewer'],
  push: ['item', 'pull', 'comment', 'review', 'ci', 'requestedReviewer'],
  'ci.succeeded': CI,
  'ci.failed': CI,
};

export function isAlwaysNull(event: ForgeEventName, field: string): boolean {
  return ALWAYS_NULL[event].some((known) => known === field);
}

/** The events that have the field, to be named in a remedy. */
export function eventsWith(field: string): ForgeEventName[] {
  return EVENT_NAMES.filter((event) => !isAlwaysNull(event, field));
}

/** For `event.comment.body`: the field `comment`, and whether the path goes on inside of it. */
export function fieldOf(path: readonly string[]): { field: string; inside: boolean } | null {
  const [root, field] = path;
  return root !== 'event' || field === undefined ? null : { field, inside: path.length > 2 };
}
