/** What people do to issues, and to the issue side of pull requests. Each act sends the webhooks Forgejo sends. */
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { isPull, itemById, may, repositoryById, requirePermission } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { requireNoOpenDependency } from './pocket-forge-dependencies.ts';
import { type Changes, sendCommentEvent, sendItemEvent } from './pocket-forge-events.ts';
import { HABITS } from './pocket-forge-kinds.ts';
import {
  nextId,
  now,
  type StoredComment,
  type StoredItem,
  type StoredLabel,
  type StoredReaction,
  type StoredRepository,
  type StoredUser,
} from './pocket-forge-state.ts';
import { recordEntry } from './pocket-forge-timeline.ts';

export interface NewItem {
  title: string;
  body: string;
  /** logins */
  assignees: string[];
  /** label ids of the repository */
  labels: number[];
}

/**
 * Assignees and labels given by people without write permission are dropped without an error, as on the real forge.
 */
export function createIssue(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; input: NewItem },
): StoredItem {
  requirePermission(o.repository, o.actor, 'read');
  const writer = may(o.repository, o.actor, 'write');
  const assignees = writer ? assignableUsers(context, o.repository, o.input.assignees) : [];
  const item = storeItem(context, o);
  const born = item.updated;
  if (HABITS[context.kind].bornWithoutTime) Object.assign(item, { created: EPOCH, updated: EPOCH });
  const labels = writer ? bearLabels(context, { ...o, item }) : [];
  // The forge sends the assignment before it sends that the issue was opened.
  for (const user of assignees) assign(context, { item, actor: o.actor, user, at: item.updated });
  Object.assign(item, { created: born, updated: born });
  sendItemEvent(context, { item, action: 'opened', sender: o.actor });
  if (labels.length > 0) sendItemEvent(context, { item, action: 'label_updated', sender: o.actor });
  return item;
}

const EPOCH = '1970-01-01T00:00:00Z';

/** The labels an item is made with: it has them in its first delivery, and `label_updated` comes last. */
export function bearLabels(
  context: PocketContext,
  o: { repository: StoredRepository; item: StoredItem; actor: StoredUser; input: NewItem },
): number[] {
  const { item, actor } = o;
  item.labels = [...new Set(o.input.labels)].filter((id) => o.repository.labels.some((l) => l.id === id));
  for (const subject of item.labels) recordEntry(context, { item, actor, type: 'label', subject });
  return item.labels;
}

/** Takes the next number; sends nothing. */
export function storeItem(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; input: NewItem },
): StoredItem {
  if (o.input.title.trim() === '') throw new ForgeRefused('The title is empty. Give one.', 422);
  o.repository.lastNumber += 1;
  const time = now();
  const item: StoredItem = {
    id: nextId(context.state, 'item'),
    repository: o.repository.id,
    number: o.repository.lastNumber,
    title: o.input.title,
    body: o.input.body,
    author: o.actor.id,
    state: 'open',
    labels: [],
    assignees: [],
    created: time,
    updated: time,
    closed: null,
    pull: null,
  };
  context.state.items.push(item);
  return item;
}

/** Throws ForgeRefused 500 without a word for unknown accounts, 422 for those that cannot write here. */
export function assignableUsers(
  context: PocketContext,
  repository: StoredRepository,
  logins: string[],
): StoredUser[] {
  return logins.map((login) => {
    const user = context.state.users.find((u) => u.login.toLowerCase() === login.toLowerCase());
    if (user !== undefined && may(repository, user, 'write')) return user;
    // As recorded: no webhook is sent.
    if (user === undefined) throw new ForgeRefused('', 500);
    throw new ForgeRefused(
      `${login} cannot be assigned here. Name an account that is the owner or a collaborator with write permission.`,
      422,
    );
  });
}

export function assign(
  context: PocketContext,
  o: { item: StoredItem; actor: StoredUser; user: StoredUser; at?: string },
): void {
  if (o.item.assignees.includes(o.user.id)) return;
  o.item.assignees.push(o.user.id);
  o.item.updated = o.at ?? now();
  recordEntry(context, { item: o.item, actor: o.actor, type: 'assignees', subject: o.user.id });
  sendItemEvent(context, { item: o.item, action: 'assigned', sender: o.actor });
}

function unassign(context: PocketContext, o: { item: StoredItem; actor: StoredUser; user: number }): void {
  o.item.assignees = o.item.assignees.filter((id) => id !== o.user);
  o.item.updated = now();
  recordEntry(context, {
    item: o.item,
    actor: o.actor,
    type: 'assignees',
    subject: o.user,
    removed: true,
  });
  sendItemEvent(context, { item: o.item, action: 'unassigned', sender: o.actor });
}

export interface ItemEdit {
  title?: string | undefined;
  body?: string | undefined;
  state?: 'open' | 'closed' | undefined;
  /** logins; replaces the whole list */
  assignees?: string[] | undefined;
}

/** Authors may edit title, body and state; assignees need write permission. */
export function editItem(
  context: PocketContext,
  o: { item: StoredItem; actor: StoredUser; edit: ItemEdit },
): void {
  const { item, actor, edit } = o;
  const repository = repositoryById(context.state, item.repository);
  requirePermission(repository, actor, item.author === actor.id ? 'read' : 'write');
  const writer = may(repository, actor, 'write');
  const wanted = edit.assignees === undefined ? null : assignableUsers(context, repository, edit.assignees);
  editText(context, o);
  if (edit.state !== undefined) setItemState(context, { item, actor, state: edit.state });
  if (wanted === null || !writer) return;
  for (const user of item.assignees.filter((id) => !wanted.some((w) => w.id === id))) {
    unassign(context, { item, actor, user });
  }
  for (const user of wanted) assign(context, { item, actor, user });
}

function editText(context: PocketContext, o: { item: StoredItem; actor: StoredUser; edit: ItemEdit }): void {
  for (const field of ['title', 'body'] as const) {
    const to = o.edit[field];
    const from = o.item[field];
    if (to === undefined || to === from) continue;
    if (field === 'title' && to.trim() === '') throw new ForgeRefused('The title is empty. Give one.', 422);
    o.item[field] = to;
    o.item.updated = now();
    const changes: Changes = { [field]: { from } };
    // Of a description that was edited the timeline says nothing.
    if (field === 'title')
      recordEntry(context, { item: o.item, actor: o.actor, type: 'change_title', from, to });
    sendItemEvent(context, { item: o.item, action: 'edited', sender: o.actor, changes });
  }
}

/** Does nothing when the item is in that state already. */
export function setItemState(
  context: PocketContext,
  o: { item: StoredItem; actor: StoredUser; state: 'open' | 'closed'; commit?: string },
): void {
  const { item, actor, state } = o;
  if (item.state === state) return;
  if (item.pull?.merged) throw new ForgeRefused('A merged pull request stays closed. Open a new one.', 412);
  if (state === 'open' && isPull(item) && item.pull.headGone) {
    throw new ForgeRefused('The head branch is gone. Push it again under a new pull request.', 412);
  }
  if (state === 'closed') requireNoOpenDependency(context.state, item);
  item.state = state;
  item.updated = now();
  item.closed = state === 'closed' ? item.updated : null;
  const action = state === 'closed' ? 'closed' : 'reopened';
  recordEntry(context, { item, actor, type: state === 'closed' ? 'close' : 'reopen' });
  sendItemEvent(context, {
    item,
    action,
    sender: actor,
    ...(o.commit === undefined ? {} : { commit: o.commit }),
  });
}

export function ensureLabel(
  context: PocketContext,
  o: { repository: StoredRepository; name: string; color?: string; description?: string },
): StoredLabel {
  const found = o.repository.labels.find((l) => l.name === o.name);
  if (found !== undefined) return found;
  const label: StoredLabel = {
    id: nextId(context.state, 'label'),
    name: o.name,
    color: (o.color ?? '888888').replace(/^#/, ''),
    description: o.description ?? '',
  };
  o.repository.labels.push(label);
  return label;
}

/**
 * Sets the complete set of labels; one event however many changed, none when none did. A clearing tells of the labels
 * that were there, and on Gitea so does a replacement (PUT).
 */
export function changeLabels(
  context: PocketContext,
  o: { item: StoredItem; actor: StoredUser; labels: number[]; how: 'change' | 'replace' | 'clear' },
): void {
  const repository = repositoryById(context.state, o.item.repository);
  requirePermission(repository, o.actor, 'write');
  const known = [...new Set(o.labels)].filter((id) => repository.labels.some((l) => l.id === id));
  const same = known.length === o.item.labels.length && known.every((id) => o.item.labels.includes(id));
  if (same) return;
  const gone = o.item.labels.filter((id) => !known.includes(id));
  const added = known.filter((id) => !o.item.labels.includes(id));
  const before = o.item.labels;
  o.item.labels = known;
  o.item.updated = now();
  const { item, actor } = o;
  for (const subject of added) recordEntry(context, { item, actor, type: 'label', subject });
  for (const subject of gone) recordEntry(context, { item, actor, type: 'label', subject, removed: true });
  const action = o.how === 'clear' ? 'label_cleared' : 'label_updated';
  const isOld = o.how === 'clear' || (o.how === 'replace' && HABITS[context.kind].replacedLabelsAreOld);
  const told = isOld ? { ...item, labels: before } : item;
  sendItemEvent(context, { item: told, action, sender: o.actor });
}

export function createComment(
  context: PocketContext,
  o: { item: StoredItem; actor: StoredUser; body: string },
): StoredComment {
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, 'read');
  if (o.body.trim() === '') throw new ForgeRefused('The comment is empty. Give it a body.', 422);
  const time = now();
  const comment: StoredComment = {
    id: nextId(context.state, 'comment'),
    item: o.item.id,
    author: o.actor.id,
    body: o.body,
    created: time,
    updated: time,
  };
  context.state.comments.push(comment);
  o.item.updated = time;
  sendCommentEvent(context, { item: o.item, comment, action: 'created', sender: o.actor });
  return comment;
}

/**
 * A comment of this repository by id. `review` means the id belongs to an inline review comment, which the comments API
 * answers with 204 and no body.
 */
export function findComment(
  context: PocketContext,
  repository: StoredRepository,
  id: number,
): StoredComment | 'review' {
  const here = (item: number) => itemById(context.state, item).repository === repository.id;
  const comment = context.state.comments.find((c) => c.id === id && here(c.item));
  if (comment !== undefined) return comment;
  if (context.state.reviews.some((r) => here(r.item) && r.comments.some((c) => c.id === id))) return 'review';
  throw new ForgeMissing(`No comment ${id} in this repository. Check the id.`);
}

function requireCommentRight(context: PocketContext, comment: StoredComment, actor: StoredUser): StoredItem {
  const item = itemById(context.state, comment.item);
  const repository = repositoryById(context.state, item.repository);
  requirePermission(repository, actor, comment.author === actor.id ? 'read' : 'write');
  return item;
}

export function editComment(
  context: PocketContext,
  o: { comment: StoredComment; actor: StoredUser; body: string },
): void {
  const item = requireCommentRight(context, o.comment, o.actor);
  const from = o.comment.body;
  if (o.body.trim() === '') throw new ForgeRefused('The comment is empty. Delete it instead.', 422);
  if (from === o.body) return;
  o.comment.body = o.body;
  o.comment.updated = now();
  const changes = { body: { from } };
  sendCommentEvent(context, { item, comment: o.comment, action: 'edited', sender: o.actor, changes });
}

export function deleteComment(
  context: PocketContext,
  o: { comment: StoredComment; actor: StoredUser },
): void {
  const item = requireCommentRight(context, o.comment, o.actor);
  context.state.comments = context.state.comments.filter((c) => c !== o.comment);
  sendCommentEvent(context, { item, comment: o.comment, action: 'deleted', sender: o.actor });
}

const REACTIONS = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'];

/** Sends no event. Answers the earlier reaction when the same account repeats itself. */
export function react(
  context: PocketContext,
  o: { target: 'item' | 'comment'; id: number; actor: StoredUser; content: string },
): { reaction: StoredReaction; repeated: boolean } {
  if (!REACTIONS.includes(o.content)) {
    throw new ForgeRefused(`${o.content} is no reaction here. Use one of ${REACTIONS.join(' ')}.`, 403);
  }
  const { target, id, content } = o;
  const earlier = context.state.reactions.find(
    (r) => r.target === target && r.id === id && r.user === o.actor.id && r.content === content,
  );
  if (earlier !== undefined) return { reaction: earlier, repeated: true };
  const reaction: StoredReaction = { target, id, content, user: o.actor.id, created: now() };
  context.state.reactions.push(reaction);
  return { reaction, repeated: false };
}
