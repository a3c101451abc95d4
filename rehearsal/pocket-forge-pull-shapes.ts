/** The JSON shapes of pull requests, reviews, commits, statuses and runs. */
import { fullName, type PullItem, repositoryById, userById } from './pocket-forge-access.ts';
import { emailOf, type PocketContext } from './pocket-forge-context.ts';
import { HABITS } from './pocket-forge-kinds.ts';
import type { GitCommit } from './pocket-forge-repositories.ts';
import {
  commentCount,
  isDraft,
  itemAssignees,
  itemHtmlUrl,
  itemLabels,
  type PermissionView,
  repositoryShape,
  userShape,
} from './pocket-forge-shapes.ts';
import type {
  StoredRepository,
  StoredReview,
  StoredReviewComment,
  StoredStatus,
  StoredUser,
} from './pocket-forge-state.ts';

/** Accounts whose newest vote is a request: asked, and neither approved nor rejected since. */
export function askedReviewers(context: PocketContext, item: PullItem): StoredUser[] {
  const waiting = newestVotes(context, item, false).filter((r) => r.state === 'REQUEST_REVIEW');
  return waiting.map((r) => userById(context.state, r.author));
}

/** What the forge calls requested reviewers: those that were asked, and those that gave a verdict. */
export function listedReviewers(context: PocketContext, item: PullItem): StoredUser[] {
  const votes = newestVotes(context, item, HABITS[context.kind].listsCommenters);
  return votes.map((r) => userById(context.state, r.author));
}

/** One of each account, in the order they were given. */
function newestVotes(context: PocketContext, item: PullItem, withComments: boolean): StoredReview[] {
  const newest = new Map<number, StoredReview>();
  for (const review of context.state.reviews) {
    if (review.item !== item.id || review.state === 'PENDING' || review.dismissed === true) continue;
    if (review.state === 'COMMENT' && !withComments) continue;
    newest.delete(review.author);
    newest.set(review.author, review);
  }
  return [...newest.values()];
}

export function pullShape(
  context: PocketContext,
  item: PullItem,
  view: PermissionView,
  listed: StoredUser[] = listedReviewers(context, item),
) {
  const repository = repositoryById(context.state, item.repository);
  const { pull } = item;
  const html = itemHtmlUrl(context, repository, item);
  const repo = repositoryShape(context, repository, view);
  const head = pull.headGone ? `refs/pull/${item.number}/head` : pull.headRef;
  return {
    id: pull.id,
    // The web address, not the API's: receivers must not fetch it.
    url: html,
    number: item.number,
    user: userShape(context, userById(context.state, item.author)),
    title: item.title,
    body: item.body,
    labels: itemLabels(context, repository, item),
    milestone: null,
    ...itemAssignees(context, item),
    requested_reviewers: listed.map((u) => userShape(context, u)),
    requested_reviewers_teams: [],
    state: item.state,
    draft: isDraft(item.title),
    is_locked: false,
    comments: commentCount(context, item),
    ...(context.kind === 'forgejo' ? { review_comments: reviewCommentCount(context, item) } : {}),
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    mergeable: pull.mergeable,
    merged: pull.merged !== null,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.commit ?? null,
    merged_by: pull.merged === null ? null : userShape(context, userById(context.state, pull.merged.by)),
    allow_maintainer_edit: false,
    base: { label: pull.baseRef, ref: pull.baseRef, sha: pull.baseSha, repo_id: repository.id, repo },
    head: { label: pull.headRef, ref: head, sha: pull.headSha, repo_id: repository.id, repo },
    merge_base: pull.mergeBase,
    due_date: null,
    created_at: item.created,
    updated_at: item.updated,
    closed_at: item.closed,
    pin_order: 0,
    ...(context.kind === 'forgejo' ? { flow: 0 } : {}),
  };
}

function reviewCommentCount(context: PocketContext, item: PullItem): number {
  const submitted = context.state.reviews.filter((r) => r.item === item.id && r.state !== 'PENDING');
  return submitted.reduce((total, r) => total + r.comments.length, 0);
}

export function reviewShape(context: PocketContext, item: PullItem, review: StoredReview) {
  const html = itemHtmlUrl(context, repositoryById(context.state, item.repository), item);
  return {
    id: review.id,
    user: userShape(context, userById(context.state, review.author)),
    team: null,
    state: review.state,
    body: review.body,
    commit_id: review.commit,
    stale: review.commit !== '' && review.commit !== item.pull.headSha,
    official: review.state === 'APPROVED' || review.state === 'REQUEST_CHANGES',
    dismissed: isDismissed(context, review),
    comments_count: review.comments.length,
    // As recorded: the time the draft was begun. The submission itself is in `updated_at`.
    submitted_at: review.begun ?? review.submitted,
    updated_at: review.submitted,
    html_url: `${html}#issuecomment-${review.id}`,
    pull_request_url: html,
  };
}

/** Gitea: by a later verdict of the same account. */
function isDismissed(context: PocketContext, review: StoredReview): boolean {
  if (review.dismissed === true) return true;
  const isVerdict = ({ state }: StoredReview) => state === 'APPROVED' || state === 'REQUEST_CHANGES';
  if (!HABITS[context.kind].verdictDismisses || !isVerdict(review)) return false;
  const { reviews } = context.state;
  const later = reviews.slice(reviews.indexOf(review) + 1);
  return later.some((r) => r.item === review.item && r.author === review.author && isVerdict(r));
}

export function reviewCommentShape(
  context: PocketContext,
  o: { item: PullItem; review: StoredReview; comment: StoredReviewComment },
) {
  const html = itemHtmlUrl(context, repositoryById(context.state, o.item.repository), o.item);
  return {
    id: o.comment.id,
    body: o.comment.body,
    user: userShape(context, userById(context.state, o.comment.author ?? o.review.author)),
    resolver: null,
    pull_request_review_id: o.review.id,
    created_at: o.comment.created,
    updated_at: o.comment.updated ?? o.comment.created,
    path: o.comment.path,
    commit_id: o.review.commit,
    original_commit_id: '',
    diff_hunk: '',
    position: o.comment.newPosition,
    original_position: o.comment.oldPosition,
    html_url: `${html}#issuecomment-${o.comment.id}`,
    pull_request_url: html,
  };
}

/** A commit as push payloads and branches show it; `username` is empty unless the address is an account's. */
export function commitShape(context: PocketContext, repository: StoredRepository, commit: GitCommit) {
  const person = (who: { name: string; email: string }) => ({
    ...who,
    username: context.state.users.find((u) => emailOf(u) === who.email.toLowerCase())?.login ?? '',
  });
  return {
    id: commit.id,
    message: commit.message,
    url: `${context.url}/${fullName(context.state, repository)}/commit/${commit.id}`,
    author: person(commit.author),
    committer: person(commit.committer),
    verification: null,
    timestamp: commit.time,
    added: commit.added,
    removed: commit.removed,
    modified: commit.modified,
  };
}

/** The response calls `status` what the request calls `state`. */
export function statusShape(context: PocketContext, status: StoredStatus) {
  const name = fullName(context.state, repositoryById(context.state, status.repository));
  return {
    id: status.id,
    status: status.state,
    target_url: status.targetUrl,
    description: status.description,
    url: `${context.url}/api/v1/repos/${name}/statuses/${status.sha}`,
    context: status.context,
    creator: userShape(context, userById(context.state, status.creator)),
    created_at: status.created,
    updated_at: status.created,
  };
}
