/** Things that happen on a forge, and the webhook body that tells of each: equal happenings make equal bytes. */
import { changed, type Json } from '../fixtures/bodies.ts';

export const KINDS = [
  'assigned',
  'unassigned',
  'labelled',
  'asked',
  'remarked',
  'edited',
  'deleted',
  'review-requested',
  'rejected',
  'pushed',
  'unreadable',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Happening {
  kind: Kind;
  /** 1 and 2 are issues, 3 is a pull request that closes 1, 4 one that closes nothing; and so on by fours */
  item: number;
  /** which comment; also who is addressed in it */
  comment: number;
  /** minutes since the first of all happenings */
  minute: number;
}

export interface Sent {
  /** Forgejo's fine event name */
  eventType: string;
  body: string;
}

const DEV = { id: 20, login: 'dev-bot' };
const REVIEWER = { id: 21, login: 'review-bot' };
/** These happen to pull requests only. */
const ON_PULLS: readonly Kind[] = ['review-requested', 'rejected', 'pushed'];
const FIRST_MINUTE = Date.parse('2026-05-04T10:00:00Z');
const EVERYWHERE = { 'repository.full_name': 'team/shop', 'sender.id': 11, 'sender.login': 'ada' };

export function bodyOf(happening: Happening): Sent {
  const { kind, minute } = happening;
  const item = ON_PULLS.includes(kind) && !isPullNumber(happening.item) ? happening.item + 2 : happening.item;
  const at = new Date(FIRST_MINUTE + minute * 60_000).toISOString();
  const isPull = isPullNumber(item);
  const issue = { 'issue.number': item, 'issue.updated_at': at, ...EVERYWHERE };
  const pull = {
    'pull_request.number': item,
    'pull_request.body': closing(item),
    'pull_request.updated_at': at,
    ...EVERYWHERE,
  };
  const about = (eventType: string, fields: Json, pullType = eventType.replace('issue', 'pull_request')) =>
    isPull
      ? json(pullType, 'forgejo/built-review-rejected', { ...pull, ...renamed(fields) })
      : json(eventType, 'forgejo/built-issue-assigned', { ...issue, ...fields });
  switch (kind) {
    case 'assigned':
      return about('issue_assign', {
        action: 'assigned',
        'issue.assignee': null,
        'issue.assignees': happening.comment % 2 === 0 ? [DEV] : [DEV, REVIEWER],
      });
    case 'unassigned':
      return about('issue_assign', { action: 'unassigned', 'issue.assignee': null, 'issue.assignees': [] });
    case 'labelled':
      return about('issue_label', { action: 'label_updated', 'issue.labels': [{ name: `l${minute % 3}` }] });
    case 'asked':
    case 'remarked':
    case 'edited':
    case 'deleted':
      return comment(happening, at);
    case 'review-requested':
    case 'rejected':
    case 'pushed':
      return onPull(happening, pull);
    case 'unreadable':
      return { eventType: 'issue_assign', body: `{"minute": ${minute}` };
  }
}

/** Fields of a pull request stand below another key. */
function renamed(fields: Json): Json {
  const entries = Object.entries(fields).map(([key, value]) => [
    key.replace(/^issue\./, 'pull_request.'),
    value,
  ]);
  return Object.fromEntries(entries) as Json;
}

function isPullNumber(item: number): boolean {
  return item % 4 === 3 || item % 4 === 0;
}

function closing(item: number): string {
  return item % 4 === 3 ? `Closes #${item - 2}` : 'On its own';
}

const ADDRESSED = ['@dev-bot, please look.', '@review-bot, please look.', 'Both, @dev-bot and @review-bot.'];

function comment({ kind, item, comment, minute }: Happening, at: string): Sent {
  const isPull = isPullNumber(item);
  const asks = ADDRESSED[comment % ADDRESSED.length]!;
  const fields = {
    ...EVERYWHERE,
    action: kind === 'edited' || kind === 'deleted' ? kind : 'created',
    'issue.number': item,
    'issue.body': closing(item),
    'issue.updated_at': at,
    'comment.id': 1000 * item + 2 * comment + (kind === 'remarked' ? 1 : 0),
    'comment.body':
      kind === 'remarked' ? 'I have seen it, too.' : `${asks} ${kind === 'edited' ? minute : ''}`,
    'comment.updated_at': at,
    is_pull: isPull,
    ...(isPull
      ? { 'pull_request.number': item, 'pull_request.body': closing(item), 'pull_request.updated_at': at }
      : { pull_request: null, 'issue.pull_request': null }),
  };
  const changes = kind === 'edited' ? { changes: { body: { from: 'nobody was asked' } } } : {};
  const eventType = isPull ? 'pull_request_comment' : 'issue_comment';
  return json(eventType, 'forgejo/built-pull-comment-created', { ...fields, ...changes });
}

function onPull({ kind, comment, minute }: Happening, pull: Json): Sent {
  const fixture = 'forgejo/built-review-rejected';
  switch (kind) {
    case 'review-requested':
      return json('pull_request_review_request', fixture, {
        ...pull,
        action: 'review_requested',
        requested_reviewer: REVIEWER,
      });
    case 'pushed':
      return json('pull_request_sync', fixture, {
        ...pull,
        action: 'synchronized',
        'pull_request.head.sha': String(minute).padStart(40, 'a'),
      });
    default:
      return json('pull_request_review_rejected', fixture, {
        ...pull,
        'review.content': `Not yet (${comment}).`,
      });
  }
}

function json(eventType: string, fixture: string, fields: Json): Sent {
  return { eventType, body: JSON.stringify(changed(fixture, fields), null, 2) };
}

export function forgeHeaders(eventType: string, deliveryId: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-forgejo-delivery': deliveryId,
    'x-forgejo-event': eventType.split('_')[0]!,
    'x-forgejo-event-type': eventType,
  };
}
