/** Reviews and replies in their threads, as the events that webhooks would have told. Pure. */
import type { Happened } from '../changes.ts';
import { parsePull } from './events.ts';
import type { PullRequestObject } from './payloads.ts';
import { snapshots } from './snapshots.ts';
import { type ItemHistory, type ReviewFound, repositoryOf, textOfComment, twin } from './twin-bodies.ts';

/** In the words of webhooks. */
const TYPES: Readonly<Record<string, string>> = {
  APPROVED: 'pull_request_review_approved',
  REQUEST_CHANGES: 'pull_request_review_rejected',
  COMMENT: 'pull_request_review_comment',
};

/** An act may take until the next second. */
const SECOND_MS = 1000;

export function reviewTwins(history: ItemHistory): Happened[] {
  const { pull, reviews, since } = history;
  if (pull === null) return [];
  const { now } = snapshots(history);
  return reviews.flatMap((review) => [
    ...(Date.parse(review.at) >= since ? reviewTwin(history, pull, review) : []),
    ...review.inline.flatMap((inline) => {
      const by = inline.author;
      if (by === null || !isReply(review, inline)) return [];
      const { id, body, htmlUrl, createdAt, updatedAt } = inline;
      const isNew = Date.parse(createdAt) >= since;
      const comment = {
        id,
        body,
        html_url: htmlUrl,
        user: by,
        created_at: createdAt,
        updated_at: updatedAt || createdAt,
      };
      return textOfComment(history, { comment, by, isNew, snapshot: now });
    }),
  ]);
}

function reviewTwin(history: ItemHistory, pull: PullRequestObject, review: ReviewFound): Happened[] {
  const type = Object.hasOwn(TYPES, review.state) ? TYPES[review.state]! : null;
  if (type === null || review.author === null) return [];
  const event = twin(history, parsePull, {
    action: 'reviewed',
    repository: repositoryOf(history),
    sender: review.author,
    requested_reviewer: review.author,
    pull_request: {
      ...pull,
      updated_at: review.at,
      head: { ...pull.head, sha: review.commitId || pull.head.sha },
    },
    review: { type, content: review.body },
  });
  return event === null ? [] : [{ event, likenesses: [] }];
}

/** A reply stands in the review that began its thread, and is told by a webhook; the remarks of a review are not. */
function isReply(review: ReviewFound, { author, createdAt }: ReviewFound['inline'][number]): boolean {
  if (author?.id !== review.author?.id) return true;
  return Date.parse(createdAt) > Date.parse(review.at) + SECOND_MS;
}
