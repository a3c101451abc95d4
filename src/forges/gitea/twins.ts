/**
 * From what an item is now and what was done to it, back to the events that webhooks would have told. Pure. The bodies of
 * the webhooks are built anew and read by the parsers of the webhooks, so that both make the same event, key included.
 */
import { findMentions } from '../../mentions.ts';
import type { EventName, ForgeUser, RepositoryRef } from '../../vocabulary.ts';
import type { Happened, SeenText } from '../changes.ts';
import { eventText } from '../event-limits.ts';
import { likenessOf } from '../likeness.ts';
import { textDigest } from '../seen-text.ts';
import { parseComment, parseIssue, parsePull } from './events.ts';
import type { TimelineAnswer } from './evidence.ts';
import type { Handler } from './outcomes.ts';
import type { IssueObject, PullRequestObject } from './payloads.ts';
import { reviewTwins } from './review-twins.ts';
import { type Snapshot, type Step, snapshots } from './snapshots.ts';

/** All that the forge answered about one item. */
export interface ItemHistory {
  forge: string;
  repository: RepositoryRef;
  /** as it is now */
  issue: IssueObject;
  pull: PullRequestObject | null;
  /** since `since`, oldest first */
  entries: TimelineAnswer[];
  reviews: ReviewFound[];
  /** unix ms */
  since: number;
  seenText: SeenText | null;
}

export interface ReviewFound {
  id: number;
  author: ForgeUser | null;
  /** APPROVED, REQUEST_CHANGES, COMMENT */
  state: string;
  body: string;
  commitId: string;
  /** when others could read it */
  at: string;
  inline: InlineFound[];
}

export interface InlineFound {
  id: number;
  author: ForgeUser | null;
  body: string;
  htmlUrl: string;
  createdAt: string;
  updatedAt: string;
}

export function happenedOn(history: ItemHistory): Happened[] {
  const { steps, born } = snapshots(history);
  const found = [
    ...openedTwin(history, born),
    ...stepTwins(history, steps),
    ...textTwin(history),
    ...reviewTwins(history),
  ];
  const byKey = new Map(found.toReversed().map((one) => [one.event.semanticKey, one]));
  return [...byKey.values()].reverse().sort(inOrder);
}

function inOrder(a: Happened, b: Happened): number {
  return Date.parse(a.event.occurredAt) - Date.parse(b.event.occurredAt) || rank(a) - rank(b);
}

/** An item is there before anything is done to it, and a merged one is closed after all else. */
function rank({ event: { name } }: Happened): number {
  if (name.endsWith('.opened')) return 0;
  return name.endsWith('.merged') || name.endsWith('.closed') ? 2 : 1;
}

/** A body as the forge would have sent it, read as if it had come. */
export function twin(
  history: Pick<ItemHistory, 'forge'>,
  parse: Handler,
  body: object,
): Happened['event'] | null {
  const headers = { kind: 'reconciled', deliveryId: '', event: 'reconciled', eventType: 'reconciled' };
  const outcome = parse({ forge: history.forge, headers }, body);
  return outcome.kind === 'event' ? outcome.event : null;
}

export function repositoryOf({ repository }: Pick<ItemHistory, 'repository'>) {
  return { id: Number(repository.id), full_name: repository.fullName };
}

/** The body of a webhook about the item as it was then. */
export function itemBody(
  history: ItemHistory,
  { action, at, by, snapshot, ...more }: ItemTwin,
): { parse: Handler; body: object } {
  const { issue, pull } = history;
  const then = { ...snapshot, updated_at: at, assignee: null };
  const common = { action, repository: repositoryOf(history), sender: by, ...more };
  if (pull === null) return { parse: parseIssue, body: { ...common, issue: { ...issue, ...then } } };
  const { headSha, baseRef, ...fields } = then;
  const pull_request = {
    ...pull,
    ...fields,
    head: { ...pull.head, sha: headSha },
    base: { ...pull.base, ref: baseRef },
  };
  return { parse: parsePull, body: { ...common, pull_request } };
}

export interface ItemTwin {
  action: string;
  at: string;
  by: ForgeUser;
  snapshot: Snapshot;
  changes?: object;
  requested_reviewer?: ForgeUser;
}

function itemTwin(history: ItemHistory, what: ItemTwin): Happened['event'] | null {
  const { parse, body } = itemBody(history, what);
  return twin(history, parse, body);
}

function openedTwin(history: ItemHistory, born: Snapshot): Happened[] {
  const { issue, since } = history;
  if (!(Date.parse(issue.created_at) >= since)) return [];
  const event = itemTwin(history, {
    action: 'opened',
    at: issue.created_at,
    by: issue.user,
    snapshot: born,
  });
  if (event === null) return [];
  // An edit of its description since is told with it, as what it says now.
  const { now } = snapshots(history);
  const edited = itemTwin(history, { action: 'edited', at: issue.updated_at, by: issue.user, snapshot: now });
  const likeness = edited === null ? null : likenessOf(edited);
  return [{ event, likenesses: likeness === null ? [] : [{ likeness, at: issue.updated_at }] }];
}

function stepTwins(history: ItemHistory, steps: Step[]): Happened[] {
  const found: Happened[] = [];
  for (const [index, step] of steps.entries()) {
    const isNews = Date.parse(step.entry.created_at) >= history.since;
    if (step.entry.type === 'comment') found.push(...commentTwin(history, step, isNews));
    else if (step.entry.type === 'label') {
      // One call may change several labels, and is told once.
      if (isNews && !isSameCall(step, steps[index + 1])) found.push(...labelTwin(history, steps, index));
    } else if (isNews) found.push(...entryTwin(history, step));
  }
  return found;
}

function isSameCall(a: Step, b: Step | undefined): boolean {
  if (b === undefined || b.entry.type !== 'label') return false;
  return a.entry.created_at === b.entry.created_at && a.by.id === b.by.id;
}

function labelTwin(history: ItemHistory, steps: Step[], last: number): Happened[] {
  let first = last;
  while (first > 0 && isSameCall(steps[first - 1]!, steps[last])) first -= 1;
  const { by, entry, after } = steps[last]!;
  const { before } = steps[first]!;
  const at = entry.created_at;
  const isCleared = after.labels.length === 0;
  // A clearing lists the labels that were there.
  const told = isCleared
    ? { action: 'label_cleared', snapshot: { ...after, labels: before.labels } }
    : { action: 'label_updated', snapshot: after };
  const event = itemTwin(history, { at, by, ...told });
  if (event === null) return [];
  // Two calls within a second, or a list that is that of before (Gitea after a PUT), look like this.
  const others = [before, ...steps.slice(first, last).map((step) => step.after)];
  const likenesses = others.flatMap(({ labels }) => {
    const names = labels.map(({ name }) => name);
    const likeness = likenessOf({ ...event, item: { ...event.item!, labels: names } });
    return likeness === null ? [] : [{ likeness, at }];
  });
  return [{ event, likenesses }];
}

/** A comment that was written and edited since is told once, as what it says now. */
function commentTwin(history: ItemHistory, { entry, by, after }: Step, isNew: boolean): Happened[] {
  const { id, body, html_url, created_at, updated_at } = entry;
  const comment = { id, body, html_url, user: by, created_at, updated_at };
  return textOfComment(history, { comment, by, isNew, snapshot: after });
}

export interface CommentFound {
  comment: {
    id: number;
    body: string;
    html_url: string;
    user: ForgeUser;
    created_at: string;
    updated_at: string;
  };
  by: ForgeUser;
  isNew: boolean;
  snapshot: Snapshot;
}

export function textOfComment(
  history: ItemHistory,
  { comment, by, isNew, snapshot }: CommentFound,
): Happened[] {
  const isEdited = Date.parse(comment.updated_at) > Date.parse(comment.created_at);
  const isNews = Date.parse(comment.updated_at) >= history.since;
  if (!isNew && !(isEdited && isNews)) return [];
  const told = (action: string) => {
    const { issue, pull } = history;
    const { labels, assignees, state, title } = snapshot;
    return twin(history, parseComment, {
      action,
      repository: repositoryOf(history),
      sender: by,
      issue: { ...issue, labels, assignees, state, title },
      pull_request: pull,
      is_pull: pull !== null,
      comment,
      // All mentions: whoever knows the text of before takes away what is not new.
      changes: { body: { from: '' } },
    });
  };
  const edited = isEdited ? told('edited') : null;
  if (!isNew) return edited === null ? [] : [{ event: edited, likenesses: [], isSenderAssumed: true }];
  const event = told('created');
  if (event === null) return [];
  const likeness = edited === null ? null : likenessOf(edited);
  const likenesses = likeness === null ? [] : [{ likeness, at: comment.updated_at }];
  // A created comment's time is that of its last edit in a webhook, too.
  return [{ event: { ...event, occurredAt: comment.created_at }, likenesses }];
}

const ACTIONS: Readonly<Record<string, string>> = {
  close: 'closed',
  reopen: 'reopened',
  merge_pull: 'closed',
  pull_push: 'synchronized',
  change_title: 'edited',
  change_target_branch: 'edited',
};

function entryTwin(history: ItemHistory, { entry, by, after }: Step): Happened[] {
  const base = { at: entry.created_at, by, snapshot: after };
  const gone = entry.removed_assignee === true;
  const made = (what: Pick<ItemTwin, 'action'> & Partial<ItemTwin>): Happened[] => {
    const event = itemTwin(history, { ...base, ...what });
    return event === null ? [] : [{ event, likenesses: [] }];
  };
  if (entry.type === 'assignees') return made({ action: gone ? 'unassigned' : 'assigned' });
  if (entry.type === 'review_request') {
    // Of a team's request each member has a webhook; who the members are is not told.
    if (!entry.assignee || history.pull === null) return [];
    const action = gone ? 'review_request_removed' : 'review_requested';
    return made({ action, requested_reviewer: entry.assignee });
  }
  const action = Object.hasOwn(ACTIONS, entry.type) ? ACTIONS[entry.type]! : null;
  if (action === null || (action === 'synchronized' && history.pull === null)) return [];
  return made({ action });
}

/** The description: nobody notes who edited it, and when is known only when nothing happened since. */
function textTwin(history: ItemHistory): Happened[] {
  const { issue, since, seenText } = history;
  if (seenText === null || Date.parse(issue.created_at) >= since) return [];
  if (textDigest(issue.body) === seenText.digest) return [];
  const event = itemTwin(history, {
    action: 'edited',
    at: issue.updated_at,
    by: issue.user,
    snapshot: snapshots(history).now,
    changes: { body: { from: '' } },
  });
  if (event === null) return [];
  const known = new Set(seenText.mentions);
  const mentions = findMentions(eventText(issue.body)).filter((login) => !known.has(login));
  return [{ event: { ...event, mentions }, likenesses: [], isSenderAssumed: true }];
}

/** For tests: which names a history can tell. CI and deletions are asked for elsewhere, and a push wakes nobody. */
export const TOLD_ELSEWHERE: readonly EventName[] = ['push', 'comment.deleted', 'ci.failed', 'ci.succeeded'];
