/**
 * Issues, comments, pull requests, reviews and pushes. Three facts of these forges shape this file: an event names no
 * delta (only complete sets after the change), a review has neither id nor inline comments, and `updated_at` is the
 * only thing that tells two equal changes apart.
 */
import { findMentions } from '../../mentions.ts';
import type { EventItem, EventName, ForgeEvent, ReviewVerdict } from '../../vocabulary.ts';
import { eventText } from '../event-limits.ts';
import type { ParseOutcome } from '../kit.ts';
import { hash } from '../new-event.ts';
import { toIssueItem, toPull, toPullItem, toUser } from './objects.ts';
import { type Arrival, event, ignored, malformed, reading } from './outcomes.ts';
import {
  type CommentPayload,
  commentPayload,
  type IssueObject,
  type IssuePayload,
  issuePayload,
  type PullPayload,
  type PullRequestObject,
  type PushPayload,
  pullPayload,
  pushPayload,
} from './payloads.ts';

const ISSUE_ACTIONS: Readonly<Record<string, EventName>> = {
  opened: 'issue.opened',
  assigned: 'issue.assigned',
  unassigned: 'issue.unassigned',
  label_updated: 'issue.labeled',
  label_cleared: 'issue.labeled',
  edited: 'issue.edited',
  closed: 'issue.closed',
  reopened: 'issue.reopened',
};

const PULL_ACTIONS: Readonly<Record<string, EventName>> = {
  opened: 'pull.opened',
  assigned: 'pull.assigned',
  unassigned: 'pull.unassigned',
  label_updated: 'pull.labeled',
  label_cleared: 'pull.labeled',
  edited: 'pull.edited',
  synchronized: 'pull.synchronized',
  closed: 'pull.closed',
  reopened: 'pull.reopened',
  review_requested: 'pull.review_requested',
  review_request_removed: 'pull.review_request_removed',
};

const COMMENT_ACTIONS: Readonly<Record<string, EventName>> = {
  created: 'comment.created',
  edited: 'comment.edited',
  deleted: 'comment.deleted',
};

/** Webhook names and, before Gitea 1.17, `pull_request_comment` for a comment review. */
const VERDICTS: Readonly<Record<string, ReviewVerdict>> = {
  pull_request_review_approved: 'approved',
  pull_request_approved: 'approved',
  pull_request_review_rejected: 'changes_requested',
  pull_request_rejected: 'changes_requested',
  pull_request_review_comment: 'commented',
  pull_request_comment: 'commented',
};

export const parseIssue = reading(issuePayload, (payload, arrival) => {
  const name = lookUp(ISSUE_ACTIONS, payload.action);
  if (name === null) return unknownAction(arrival, payload.action);
  const { issue, repository, sender } = payload;
  return event(arrival, {
    name,
    repository,
    sender,
    object: `issue:${issue.number}`,
    discriminators: itemDiscriminators(name, issue, payload),
    about: itemFacts(payload, issue, toIssueItem(afterwards(issue, payload.action))),
  });
});

export const parsePull = reading(pullPayload, (payload, arrival) => {
  if (payload.action === 'reviewed') return review(payload, arrival);
  const known = lookUp(PULL_ACTIONS, payload.action);
  if (known === null) return unknownAction(arrival, payload.action);
  const { pull_request: pull, repository, sender } = payload;
  // A merge has no action of its own.
  const name = known === 'pull.closed' && pull.merged ? 'pull.merged' : known;
  const aboutReviewer = name === 'pull.review_requested' || name === 'pull.review_request_removed';
  const reviewer = aboutReviewer ? (payload.requested_reviewer ?? null) : null;
  return event(arrival, {
    name,
    repository,
    sender,
    object: `pull:${pull.number}`,
    discriminators: [...itemDiscriminators(name, pull, payload), reviewer?.id ?? 0],
    about: {
      ...itemFacts(payload, pull, pullItem(afterwards(pull, payload.action), payload.action)),
      // guard: the second reviewer of one call is asked, too
      pull: { ...toPull(pull, repository), requestedReviewers: reviewersAfterwards(payload) },
      requestedReviewer: reviewer?.login ?? null,
    },
  });
});

/** Comments on issues and pull requests. A reply to an inline review comment arrives here too. */
export const parseComment = reading(commentPayload, (payload, arrival) => {
  const name = lookUp(COMMENT_ACTIONS, payload.action);
  if (name === null) return unknownAction(arrival, payload.action);
  const { comment, issue, repository, sender } = payload;
  const pull = payload.pull_request ?? null;
  const onPull = pull !== null || payload.is_pull || isPresent(issue.pull_request);
  return event(arrival, {
    name,
    repository,
    sender,
    object: `comment:${comment.id}`,
    discriminators: commentDiscriminators(name, payload),
    about: {
      item: onPull ? toPullItem(issue) : toIssueItem(issue),
      pull: pull === null ? null : toPull(pull, repository),
      comment: {
        id: comment.id,
        body: comment.body,
        htmlUrl: comment.html_url,
        author: toUser(comment.user),
      },
      mentions: newMentions(payload.action, comment.body, payload.changes),
      occurredAt: comment.updated_at,
    },
  });
});

/**
 * A comment is created once and deleted once, but edited at every click on one of its checkboxes. Author and text are part
 * of the key because somebody may forge a delivery before the real one comes: the real one must not count as a repetition
 * of it. The key of a deletion has the id alone, because it must be computable from the comment.
 */
function commentDiscriminators(name: EventName, { comment, issue, sender }: CommentPayload): string[] {
  if (name === 'comment.deleted') return [];
  // guard: intake: told before it happens
  const words = [hash([sender.id, comment.user.id, issue.number, comment.body])];
  return name === 'comment.edited' ? [comment.updated_at, ...words] : words;
}

/**
 * The one name two shapes share: as fine name a comment on a pull request, as coarse name (all that old Gitea sends) a
 * comment review.
 */
export function parseCommentOrReview(arrival: Arrival, body: unknown): ParseOutcome {
  const isReview = typeof body === 'object' && body !== null && !('comment' in body);
  return isReview ? parsePull(arrival, body) : parseComment(arrival, body);
}

function review(payload: PullPayload, arrival: Arrival): ParseOutcome {
  const { pull_request: pull, repository, sender } = payload;
  const type = payload.review?.type || arrival.headers.eventType;
  const verdict = VERDICTS[type];
  if (!Object.hasOwn(VERDICTS, type) || verdict === undefined) {
    return malformed(arrival, `review.type: ${JSON.stringify(type.slice(0, 80))} is no known kind of review`);
  }
  const body = payload.review?.content ?? '';
  return event(arrival, {
    name: 'review.submitted',
    repository,
    sender,
    object: `pull:${pull.number}`,
    // The body has no review id, so the sender, the text and the time stand in for it.
    discriminators: [sender.id, verdict, hash(body), pull.head.sha, pull.updated_at],
    about: {
      item: pullItem(pull, payload.action),
      pull: toPull(pull, repository),
      review: { verdict, body },
      mentions: findMentions(eventText(body)),
      occurredAt: pull.updated_at,
    },
  });
}

export const parsePush = reading(pushPayload, (payload, arrival) => {
  const reason = whyNoBranchPush(payload);
  if (reason !== null) return ignored(reason);
  const { ref, before, after, repository, sender } = payload;
  return event(arrival, {
    name: 'push',
    repository,
    sender,
    object: ref,
    // The repository's time differs between a push A→B and the same push again after a force push back to A.
    discriminators: [before, after, repository.updated_at],
    about: { push: { ref, before, after } },
  });
});

function whyNoBranchPush({ ref, before, after }: PushPayload): string | null {
  if (before === after) return 'push: before equals after, which is how the forge tests a webhook';
  if (!ref.startsWith('refs/heads/')) return `push: ${ref} is no branch`;
  if (/^0+$/.test(after)) return `push: the branch ${ref.slice('refs/heads/'.length)} was deleted`;
  return null;
}

/** `label_cleared` carries the labels that were taken off. */
function afterwards<T extends IssueObject | PullRequestObject>(object: T, action: string): T {
  // guard: cleared labels are gone
  return action === 'label_cleared' ? { ...object, labels: [] } : object;
}

/** When one call asks two reviewers, the list in the second body lacks the second reviewer. */
function reviewersAfterwards({ action, pull_request: pull, requested_reviewer: one }: PullPayload): string[] {
  const listed = pull.requested_reviewers;
  const isAsked = action === 'review_requested';
  if (!one || (!isAsked && action !== 'review_request_removed')) return listed.map(({ login }) => login);
  const others = listed.filter(({ id }) => id !== one.id);
  if (!isAsked) return others.map(({ login }) => login);
  return (others.length < listed.length ? listed : [...listed, one]).map(({ login }) => login);
}

/** Trimmed bodies lack `state`; then the action says whether the pull request is closed. */
function pullItem(pull: PullRequestObject, action: string): EventItem {
  return toPullItem(pull.state === '' && action === 'closed' ? { ...pull, state: 'closed' } : pull);
}

function itemFacts(
  payload: IssuePayload | PullPayload,
  object: IssueObject | PullRequestObject,
  item: EventItem,
): Partial<ForgeEvent> {
  return {
    item,
    mentions: newMentions(payload.action, object.body, payload.changes),
    added: {
      assignees: payload.action === 'assigned' ? item.assignees : [],
      labels: payload.action === 'label_updated' ? item.labels : [],
    },
    occurredAt: object.updated_at,
  };
}

function itemDiscriminators(
  name: EventName,
  object: IssueObject | PullRequestObject,
  payload: IssuePayload | PullPayload,
): string[] {
  switch (name) {
    case 'issue.opened':
    case 'pull.opened':
      // Once in the life of an item, by its author; see `commentDiscriminators`.
      return [hash([payload.sender.id, object.user.id, object.title, object.body])];
    case 'pull.merged':
      return [String(payload.sender.id)];
    case 'issue.assigned':
    case 'pull.assigned':
    case 'issue.unassigned':
    case 'pull.unassigned':
      return [
        object.updated_at,
        hash([payload.sender.id, object.assignees.map((assignee) => assignee.id).sort((a, b) => a - b)]),
      ];
    case 'issue.labeled':
    case 'pull.labeled':
      return [
        object.updated_at,
        hash([payload.sender.id, object.labels.map((label) => label.name).sort()]),
        payload.action,
      ];
    case 'issue.edited':
    case 'pull.edited':
      return [
        object.updated_at,
        hash([payload.sender.id, object.title, object.body, 'base' in object ? object.base.ref : '']),
      ];
    case 'pull.synchronized':
      return [object.updated_at, hash([payload.sender.id, 'head' in object ? object.head.sha : ''])];
    default:
      return [object.updated_at, String(payload.sender.id)];
  }
}

/** On an edit: those whom the old text did not mention. An edit that leaves the body as it was mentions nobody. */
function newMentions(action: string, body: string, changes: IssuePayload['changes']): string[] {
  const now = eventText(body);
  if (action === 'opened' || action === 'created') return findMentions(now);
  const old = changes?.body;
  if (action !== 'edited' || !old) return [];
  const before = new Set(findMentions(eventText(old.from)));
  return findMentions(now).filter((login) => !before.has(login));
}

function unknownAction(arrival: Arrival, action: string): ParseOutcome {
  return ignored(`${arrival.headers.eventType}: the action "${action.slice(0, 80)}" means no event`);
}

function lookUp(names: Readonly<Record<string, EventName>>, action: string): EventName | null {
  return Object.hasOwn(names, action) ? names[action]! : null;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}
