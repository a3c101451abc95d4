/**
 * The webhook bodies, and whose permissions each one shows. Forgejo fills `repository.permissions` from the sender, the
 * author or the owner depending on the event, so receivers must not take it for the sender's; this forge does the same.
 */
import { isPull, type PullItem, repositoryById } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import type { HookEventType } from './pocket-forge-hooks.ts';
import { pullShape } from './pocket-forge-pull-shapes.ts';
import { runShape } from './pocket-forge-run-shapes.ts';
import {
  commentShape,
  issueShape,
  type PermissionView,
  repositoryShape,
  userShape,
} from './pocket-forge-shapes.ts';
import type {
  StoredComment,
  StoredItem,
  StoredRepository,
  StoredRun,
  StoredUser,
} from './pocket-forge-state.ts';

export type Changes = { title?: { from: string }; body?: { from: string }; ref?: { from: string } };

type ItemAction =
  | 'opened'
  | 'closed'
  | 'reopened'
  | 'edited'
  | 'assigned'
  | 'unassigned'
  | 'label_updated'
  | 'label_cleared'
  | 'synchronized'
  | 'review_requested'
  | 'review_request_removed';

const ASPECTS = {
  opened: '',
  closed: '',
  reopened: '',
  edited: '',
  assigned: '_assign',
  unassigned: '_assign',
  label_updated: '_label',
  label_cleared: '_label',
  synchronized: '_sync',
  review_requested: '_review_request',
  review_request_removed: '_review_request',
} as const satisfies Record<ItemAction, string>;

export interface ItemHappening {
  item: StoredItem;
  action: ItemAction;
  sender: StoredUser;
  changes?: Changes;
  /** the commit that closed the item */
  commit?: string;
  reviewer?: StoredUser;
  /** who is listed as asked; left out, whoever is */
  listed?: StoredUser[];
}

export function sendItemEvent(context: PocketContext, happening: ItemHappening): void {
  const { item, action, sender } = happening;
  const repository = repositoryById(context.state, item.repository);
  const eventType = `${isPull(item) ? 'pull_request' : 'issues'}${ASPECTS[action]}`.replace(
    'issues_',
    'issue_',
  );
  const common = {
    action,
    number: item.number,
    ...(happening.changes === undefined ? {} : { changes: happening.changes }),
  };
  const tail = {
    repository: repositoryShape(context, repository, permissionView(context, happening)),
    sender: userShape(context, sender),
    commit_id: happening.commit ?? '',
  };
  const body = isPull(item)
    ? {
        ...common,
        pull_request: pullShape(context, item, sender, happening.listed),
        requested_reviewer: happening.reviewer === undefined ? null : userShape(context, happening.reviewer),
        ...tail,
        review: null,
      }
    : { ...common, issue: issueShape(context, repository, item), ...tail };
  context.hooks.send(repository, eventType as HookEventType, body);
}

function permissionView(context: PocketContext, happening: ItemHappening): PermissionView {
  const { item, action, sender } = happening;
  const author = context.state.users.find((u) => u.id === item.author) ?? sender;
  if (action === 'synchronized') return 'owner';
  if (action === 'label_updated' && isPull(item)) return 'owner';
  if (action === 'closed' && item.pull?.merged) return sender;
  const bySender: ItemAction[] = ['assigned', 'unassigned', 'review_requested', 'review_request_removed'];
  return bySender.includes(action) ? sender : author;
}

export interface CommentHappening {
  item: StoredItem;
  comment: StoredComment;
  action: 'created' | 'edited' | 'deleted';
  sender: StoredUser;
  changes?: Changes;
}

export function sendCommentEvent(context: PocketContext, happening: CommentHappening): void {
  const { item, comment, action, sender } = happening;
  const repository = repositoryById(context.state, item.repository);
  const body = {
    action,
    issue: issueShape(context, repository, item),
    ...(isPull(item) ? { pull_request: pullShape(context, item, sender) } : {}),
    comment: commentShape(context, { repository, item, comment }),
    ...(happening.changes === undefined ? {} : { changes: happening.changes }),
    repository: repositoryShape(context, repository, sender),
    sender: userShape(context, sender),
    is_pull: isPull(item),
  };
  context.hooks.send(repository, isPull(item) ? 'pull_request_comment' : 'issue_comment', body);
}

const REVIEW_TYPES = {
  APPROVED: 'pull_request_review_approved',
  REQUEST_CHANGES: 'pull_request_review_rejected',
  COMMENT: 'pull_request_review_comment',
} as const;

/** Carries neither the review's id nor its inline comments: receivers have to ask for them. */
export function sendReviewEvent(
  context: PocketContext,
  o: { item: PullItem; verdict: keyof typeof REVIEW_TYPES; content: string; sender: StoredUser },
): void {
  const repository = repositoryById(context.state, o.item.repository);
  const author = context.state.users.find((u) => u.id === o.item.author) ?? o.sender;
  const type = REVIEW_TYPES[o.verdict];
  context.hooks.send(repository, type, {
    action: 'reviewed',
    number: o.item.number,
    pull_request: pullShape(context, o.item, o.sender),
    requested_reviewer: userShape(context, o.sender),
    repository: repositoryShape(context, repository, author),
    sender: userShape(context, o.sender),
    commit_id: '',
    review: { type, content: o.content },
  });
}

export function sendRefEvent(
  context: PocketContext,
  o: {
    repository: StoredRepository;
    kind: 'create' | 'delete';
    ref: string;
    sha: string;
    sender: StoredUser;
  },
): void {
  const refType = o.ref.startsWith('refs/tags/') ? 'tag' : 'branch';
  const sender = userShape(context, o.sender);
  const body =
    o.kind === 'create'
      ? {
          sha: o.sha,
          ref: o.ref,
          ref_type: refType,
          repository: repositoryShape(context, o.repository, 'omitted'),
          sender,
        }
      : {
          ref: o.ref,
          ref_type: refType,
          pusher_type: 'user',
          repository: repositoryShape(context, o.repository, 'owner'),
          sender,
        };
  context.hooks.send(o.repository, o.kind, body);
}

/** No `repository` and no `sender` at the top: both are inside the run. */
export function sendRunEvent(
  context: PocketContext,
  o: { run: StoredRun; outcome: 'success' | 'failure'; prior: string },
): void {
  const repository = repositoryById(context.state, o.run.repository);
  context.hooks.send(repository, `action_run_${o.outcome}`, {
    action: o.outcome,
    prior_status: o.prior,
    run: runShape(context, o.run),
  });
}
