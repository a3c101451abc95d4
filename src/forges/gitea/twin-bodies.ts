/** Bodies of webhooks, built anew from what the forge answers, and read by the parsers of webhooks. Pure. */
import type { ForgeUser, RepositoryRef } from '../../vocabulary.ts';
import type { Happened, SeenText } from '../changes.ts';
import { likenessOf } from '../likeness.ts';
import { parseComment, parseIssue, parsePull } from './events.ts';
import type { TimelineAnswer } from './evidence.ts';
import type { Handler } from './outcomes.ts';
import type { IssueObject, PullRequestObject } from './payloads.ts';
import type { Snapshot } from './snapshots.ts';

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
  const edit: Happened | null =
    edited === null ? null : { event: edited, likenesses: [], isSenderAssumed: true };
  if (!isNew) return edit === null ? [] : [edit];
  const event = told('created');
  if (event === null) return [];
  const likeness = edited === null ? null : likenessOf(edited);
  const likenesses = likeness === null ? [] : [{ likeness, at: comment.updated_at }];
  // A created comment's time is that of its last edit in a webhook, too.
  const created = { event: { ...event, occurredAt: comment.created_at }, likenesses };
  return [edit === null ? created : { ...created, editedSince: edit }];
}
