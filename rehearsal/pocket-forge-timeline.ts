/** The timeline of an item: who did what, in the shape Forgejo gives its kinds of entries. */
import type { Hono } from 'hono';
import { findItem, fullName, itemById, repositoryById, userById } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { type PocketApi, page, routeNumber, routeRepository, withinTimes } from './pocket-forge-requests.ts';
import { itemHtmlUrl, labelShape, userShape } from './pocket-forge-shapes.ts';
import {
  nextId,
  now,
  type StoredItem,
  type StoredTimelineEntry,
  type StoredUser,
} from './pocket-forge-state.ts';

type What = Pick<StoredTimelineEntry, 'type'> &
  Partial<Pick<StoredTimelineEntry, 'subject' | 'removed' | 'commits' | 'from' | 'to'>>;

/** Entries share the comments' sequence of ids, as on the forge. */
export function recordEntry(
  context: PocketContext,
  { item, actor, ...what }: { item: StoredItem; actor: StoredUser } & What,
): void {
  const time = now();
  context.state.timeline ??= [];
  context.state.timeline.push({
    id: nextId(context.state, 'comment'),
    item: item.id,
    user: actor.id,
    created: time,
    updated: time,
    subject: 0,
    removed: false,
    commits: [],
    ...what,
  });
}

export function addTimelineRoute(api: Hono<PocketApi>, context: PocketContext): void {
  api.get('/repos/:owner/:name/issues/:number{[0-9]+}/timeline', (c) => {
    const item = findItem(context.state, routeRepository(c, context), routeNumber(c));
    const rows = page(c, context, withinTimes(c, entriesOf(context, item)));
    const shown = rows.flatMap(({ shape }) => (shape === null ? [] : [shape()]));
    // The forge's count is that of the page, not of the list.
    c.header('X-Total-Count', String(shown.length));
    return c.json(shown.length === 0 ? null : shown);
  });
}

interface Row {
  id: number;
  updated: string;
  /** null: a remark in a review, which fills its place on a page and is left out then */
  shape: (() => object) | null;
}

function entriesOf(context: PocketContext, item: StoredItem): Row[] {
  const htmlUrl = itemHtmlUrl(context, repositoryById(context.state, item.repository), item);
  const done = (context.state.timeline ?? [])
    .filter((entry) => entry.item === item.id)
    .map((entry) => ({ ...entry, shape: () => entryShape(context, entry) }));
  const said = context.state.comments
    .filter((comment) => comment.item === item.id)
    .map(({ id, author, body, created, updated }) => ({
      id,
      updated,
      shape: () => ({
        ...base(context, { id, user: author, created, updated }),
        type: 'comment',
        body,
        html_url: `${htmlUrl}#issuecomment-${id}`,
      }),
    }));
  const remarks = context.state.reviews
    .filter((review) => review.item === item.id && review.state !== 'PENDING')
    .flatMap((review) => review.comments)
    .map(({ id, created, updated = created }) => ({ id, updated, shape: null }));
  return [...done, ...said, ...remarks].sort((a, b) => a.id - b.id);
}

function base(
  context: PocketContext,
  entry: { id: number; user: number; created: string; updated: string },
): Record<string, unknown> {
  return {
    id: entry.id,
    user: userShape(context, userById(context.state, entry.user)),
    body: '',
    created_at: entry.created,
    updated_at: entry.updated,
    label: null,
    assignee: null,
    assignee_team: null,
    removed_assignee: false,
    old_title: '',
    new_title: '',
    old_ref: '',
    new_ref: '',
  };
}

function entryShape(context: PocketContext, entry: StoredTimelineEntry): object {
  const item = itemById(context.state, entry.item);
  const repository = repositoryById(context.state, item.repository);
  const html = `${context.url}/${fullName(context.state, repository)}`;
  const common = { ...base(context, entry), type: entry.type, issue_url: `${html}/issues/${item.number}` };
  switch (entry.type) {
    case 'label': {
      const label = repository.labels.find((l) => l.id === entry.subject);
      // The field says "1" for what was added and is empty for what was removed.
      const body = entry.removed ? '' : '1';
      return { ...common, body, label: label === undefined ? null : labelShape(context, repository, label) };
    }
    case 'pull_push':
      return { ...common, body: JSON.stringify({ is_force_push: false, commit_ids: entry.commits }) };
    case 'change_title':
      return { ...common, old_title: entry.from ?? '', new_title: entry.to ?? '' };
    case 'change_target_branch':
      return { ...common, old_ref: entry.from ?? '', new_ref: entry.to ?? '' };
    case 'close':
    case 'reopen':
    case 'merge_pull':
      return common;
    default:
      return {
        ...common,
        assignee: userShape(context, userById(context.state, entry.subject)),
        removed_assignee: entry.removed,
      };
  }
}
