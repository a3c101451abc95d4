/** Reviews: pending until submitted, one event for each submission, whatever the number of inline comments. */
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { type PullItem, repositoryById, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { sendCommentEvent, sendReviewEvent } from './pocket-forge-events.ts';
import { resolveCommit } from './pocket-forge-repositories.ts';
import {
  nextId,
  now,
  type StoredComment,
  type StoredReview,
  type StoredReviewComment,
  type StoredUser,
} from './pocket-forge-state.ts';

export const REVIEW_EVENTS = ['APPROVED', 'REQUEST_CHANGES', 'COMMENT', 'PENDING'] as const;
export type ReviewEvent = (typeof REVIEW_EVENTS)[number];

export interface NewReview {
  event: ReviewEvent;
  body: string;
  /** '' means the head of now */
  commit: string;
  /** positions are line numbers of the file on that side, 0 for the other side */
  comments: { path: string; body: string; newPosition: number; oldPosition: number }[];
}

/**
 * Creates a review, or finishes the pending one of the same account: a forge keeps one pending review for each account
 * and pull request, and whatever is submitted takes its comments along.
 */
export async function createReview(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; input: NewReview },
): Promise<StoredReview> {
  const repository = repositoryById(context.state, o.item.repository);
  requirePermission(repository, o.actor, 'read');
  const pending = context.state.reviews.find(
    (r) => r.item === o.item.id && r.author === o.actor.id && r.state === 'PENDING',
  );
  requireSubmittable(o, pending?.comments.length ?? 0);
  const wanted = o.input.commit === '' ? o.item.pull.headSha : o.input.commit;
  const commit = await resolveCommit(context.git, folderOf(context, repository), wanted);
  if (commit === null) {
    throw new ForgeRefused(`There is no commit ${wanted} here. Leave commit_id out to review the head.`, 422);
  }
  const review = pending ?? emptyReview(context, o);
  const time = now();
  for (const comment of o.input.comments) {
    review.comments.push({ ...comment, id: nextId(context.state, 'comment'), created: time });
  }
  Object.assign(review, { body: o.input.body, commit, submitted: time, state: o.input.event });
  if (pending === undefined) context.state.reviews.push(review);
  publish(context, o, review);
  return review;
}

function emptyReview(context: PocketContext, o: { item: PullItem; actor: StoredUser }): StoredReview {
  return {
    id: nextId(context.state, 'review'),
    item: o.item.id,
    author: o.actor.id,
    state: 'PENDING',
    body: '',
    commit: '',
    submitted: '',
    begun: now(),
    comments: [],
  };
}

function requireSubmittable(
  o: { item: PullItem; actor: StoredUser; input: Pick<NewReview, 'event' | 'body' | 'comments'> },
  pendingComments: number,
): void {
  const { event, body, comments } = o.input;
  const votes = event === 'APPROVED' || event === 'REQUEST_CHANGES';
  if (votes && o.item.author === o.actor.id) {
    throw new ForgeRefused('Nobody may approve or reject their own pull request. Use another account.', 422);
  }
  if (votes && o.item.state === 'closed') {
    throw new ForgeRefused('The pull request is closed. Reopen it or send a comment.', 422);
  }
  if (event === 'REQUEST_CHANGES' && body.trim() === '') {
    throw new ForgeRefused('REQUEST_CHANGES needs a body. Say what should change.', 422);
  }
  if (event === 'COMMENT' && body.trim() === '' && comments.length + pendingComments === 0) {
    throw new ForgeRefused('COMMENT needs a body or inline comments. Give one of them.', 422);
  }
  for (const comment of comments) {
    if (comment.path !== '' && comment.newPosition + comment.oldPosition > 0) continue;
    throw new ForgeRefused('An inline comment needs a path and new_position or old_position above 0.', 422);
  }
}

function publish(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser },
  review: StoredReview,
): void {
  if (review.state === 'PENDING' || review.state === 'REQUEST_REVIEW') return;
  // Submitting makes the review the newest: the order of the list is the order of submission. A verdict answers the
  // request for one, which is gone then.
  const isVerdict = review.state !== 'COMMENT';
  const isAnswered = (r: StoredReview) =>
    isVerdict && r.state === 'REQUEST_REVIEW' && r.item === review.item && r.author === review.author;
  const others = context.state.reviews.filter((r) => r !== review && !isAnswered(r));
  context.state.reviews = [...others, review];
  o.item.updated = review.submitted;
  sendReviewEvent(context, {
    item: o.item,
    verdict: review.state,
    content: review.body,
    sender: o.actor,
  });
}

export function submitReview(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; review: StoredReview; event: ReviewEvent; body: string },
): void {
  if (o.review.state !== 'PENDING')
    throw new ForgeRefused('The review was submitted. Create a new one.', 422);
  if (o.event === 'PENDING') throw new ForgeRefused('A submission needs an event other than PENDING.', 422);
  const input = { event: o.event, body: o.body, comments: [] };
  requireSubmittable({ item: o.item, actor: o.actor, input }, o.review.comments.length);
  Object.assign(o.review, { body: o.body, state: o.event, submitted: now() });
  publish(context, o, o.review);
}

/** Tells nobody. */
export function dismissReview(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; review: StoredReview },
): void {
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, 'admin');
  if (o.review.state !== 'APPROVED' && o.review.state !== 'REQUEST_CHANGES') {
    throw new ForgeRefused('Only a verdict can be dismissed. Leave the others as they are.', 403);
  }
  o.review.dismissed = true;
}

/** Pending reviews are seen by their author alone. */
export function visibleReviews(
  context: PocketContext,
  item: PullItem,
  viewer: StoredUser | null,
): StoredReview[] {
  return context.state.reviews.filter(
    (r) => r.item === item.id && (r.state !== 'PENDING' || r.author === viewer?.id),
  );
}

export function findReview(
  context: PocketContext,
  o: { item: PullItem; viewer: StoredUser | null; id: number },
): StoredReview {
  const review = visibleReviews(context, o.item, o.viewer).find((r) => r.id === o.id);
  if (review === undefined) throw new ForgeMissing(`No review ${o.id} on this pull request. Check the id.`);
  return review;
}

/** A remark on a line, or a reply to one, by its id. */
function findInline(
  context: PocketContext,
  item: PullItem,
  id: number,
): { review: StoredReview; comment: StoredReviewComment } {
  for (const review of context.state.reviews.filter((r) => r.item === item.id)) {
    const comment = review.comments.find((c) => c.id === id);
    if (comment !== undefined) return { review, comment };
  }
  throw new ForgeMissing(`No inline comment ${id} on this pull request. Check the id.`);
}

/**
 * A reply on the web page: it stands in the review that began the thread, with its own author, and is told as a comment
 * of the pull request. (A reply by the API tells nobody.)
 */
export function replyInline(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; to: number; body: string },
): StoredReviewComment {
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, 'read');
  const { review, comment } = findInline(context, o.item, o.to);
  const { path, newPosition, oldPosition } = comment;
  const reply: StoredReviewComment = {
    id: nextId(context.state, 'comment'),
    path,
    body: o.body,
    newPosition,
    oldPosition,
    created: now(),
    author: o.actor.id,
  };
  review.comments.push(reply);
  o.item.updated = reply.created;
  const told = asComment(o.item, review, reply);
  sendCommentEvent(context, { item: o.item, comment: told, action: 'created', sender: o.actor });
  return reply;
}

export function editInline(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; id: number; body: string },
): void {
  const { review, comment } = findInline(context, o.item, o.id);
  const isOwn = (comment.author ?? review.author) === o.actor.id;
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, isOwn ? 'read' : 'write');
  const changes = { body: { from: comment.body } };
  Object.assign(comment, { body: o.body, updated: now() });
  const told = asComment(o.item, review, comment);
  sendCommentEvent(context, { item: o.item, comment: told, action: 'edited', sender: o.actor, changes });
}

function asComment(item: PullItem, review: StoredReview, comment: StoredReviewComment): StoredComment {
  const { id, body, created } = comment;
  const author = comment.author ?? review.author;
  return { id, item: item.id, author, body, created, updated: comment.updated ?? created };
}
