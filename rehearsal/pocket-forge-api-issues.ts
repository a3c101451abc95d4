/** REST: issues, labels, comments, reactions. Pull requests answer here too, under the same numbers. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { ForgeMissing } from '../src/errors.ts';
import { findItem, isPull, requirePermission } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import {
  changeLabels,
  createComment,
  createIssue,
  deleteComment,
  editComment,
  editItem,
  ensureLabel,
  findComment,
  react,
} from './pocket-forge-issues.ts';
import { editPull } from './pocket-forge-pulls.ts';
import {
  type ApiContext,
  type PocketApi,
  page,
  readBody,
  routeNumber,
  routeRepository,
  signedIn,
  withinTimes,
} from './pocket-forge-requests.ts';
import { commentShape, issueShape, itemLabels, labelShape, reactionShape } from './pocket-forge-shapes.ts';
import type { StoredComment, StoredItem, StoredRepository } from './pocket-forge-state.ts';

export const newItemBody = z.object({
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((v) => v ?? ''),
  assignees: z
    .array(z.string())
    .nullish()
    .transform((v) => v ?? []),
  labels: z
    .array(z.int())
    .nullish()
    .transform((v) => v ?? []),
});

export const itemEditBody = z.object({
  title: z.string().optional(),
  body: z.string().optional(),
  state: z.enum(['open', 'closed']).optional(),
  assignees: z.array(z.string()).optional(),
});

const labelsBody = z.object({ labels: z.array(z.union([z.int(), z.string()])).default([]) });
const commentBody = z.object({ body: z.string() });
const reactionBody = z.object({ content: z.string() });
const newLabelBody = z.object({
  name: z.string().min(1),
  color: z.string().regex(/^#?[0-9a-fA-F]{6}$/),
  description: z.string().optional(),
});

const REPO = '/repos/:owner/:name';
const ISSUE = `${REPO}/issues/:number{[0-9]+}`;
const COMMENT = `${REPO}/issues/comments/:id{[0-9]+}`;

export function addIssueRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  addItemRoutes(api, context);
  addLabelRoutes(api, context);
  addCommentRoutes(api, context);
  addReactionRoutes(api, context);
}

function routeItem(
  c: ApiContext,
  context: PocketContext,
): { repository: StoredRepository; item: StoredItem } {
  const repository = routeRepository(c, context);
  return { repository, item: findItem(context.state, repository, routeNumber(c)) };
}

function addItemRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(`${REPO}/issues`, (c) => {
    const repository = routeRepository(c, context);
    const rows = page(c, context, listItems(c, context, repository));
    return c.json(rows.map((item) => issueShape(context, repository, item)));
  });
  api.post(`${REPO}/issues`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const input = await readBody(c, newItemBody);
    const item = await context.change(() => createIssue(context, { repository, actor, input }));
    return c.json(issueShape(context, repository, item), 201);
  });
  api.get(ISSUE, (c) => {
    const { repository, item } = routeItem(c, context);
    return c.json(issueShape(context, repository, item));
  });
  api.patch(ISSUE, async (c) => {
    const actor = signedIn(c);
    const { repository, item } = routeItem(c, context);
    const edit = await readBody(c, itemEditBody);
    await context.change(() =>
      isPull(item) ? editPull(context, { item, actor, edit }) : editItem(context, { item, actor, edit }),
    );
    return c.json(issueShape(context, repository, item), 201);
  });
}

function listItems(c: ApiContext, context: PocketContext, repository: StoredRepository): StoredItem[] {
  const state = c.req.query('state') ?? 'open';
  const type = c.req.query('type');
  const labels = (c.req.query('labels') ?? '').split(',').filter((name) => name !== '');
  const ids = labels.map((name) => repository.labels.find((l) => l.name === name)?.id ?? -1);
  const rows = context.state.items.filter(
    (i) =>
      i.repository === repository.id &&
      (state === 'all' || i.state === state) &&
      (type === undefined || type === '' || (type === 'pulls') === isPull(i)) &&
      ids.every((id) => i.labels.includes(id)),
  );
  return sortItems(c.req.query('sort'), withinTimes(c, rows));
}

/** Newest first unless told otherwise; equal times keep the order of creation. */
export function sortItems<T extends StoredItem>(sort: string | undefined, rows: T[]): T[] {
  const updated = (a: T, b: T) => Date.parse(a.updated) - Date.parse(b.updated) || a.number - b.number;
  if (sort === 'oldest') return rows.toSorted((a, b) => a.number - b.number);
  if (sort === 'leastupdate') return rows.toSorted(updated);
  if (sort === 'recentupdate') return rows.toSorted((a, b) => updated(b, a));
  return rows.toSorted((a, b) => b.number - a.number);
}

function addLabelRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(`${REPO}/labels`, (c) => {
    const repository = routeRepository(c, context);
    return c.json(page(c, context, repository.labels).map((l) => labelShape(context, repository, l)));
  });
  api.post(`${REPO}/labels`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    requirePermission(repository, actor, 'write');
    const { name, color, description = '' } = await readBody(c, newLabelBody);
    const label = await context.change(() => ensureLabel(context, { repository, name, color, description }));
    return c.json(labelShape(context, repository, label), 201);
  });
  api.delete(`${REPO}/labels/:label{[0-9]+}`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    requirePermission(repository, actor, 'write');
    const id = routeNumber(c, 'label');
    await context.change(() => {
      repository.labels = repository.labels.filter((label) => label.id !== id);
      const items = context.state.items.filter((item) => item.repository === repository.id);
      for (const item of items) item.labels = item.labels.filter((label) => label !== id);
    });
    return c.body(null, 204);
  });
  api.get(`${ISSUE}/labels`, (c) => {
    const { repository, item } = routeItem(c, context);
    return c.json(itemLabels(context, repository, item));
  });
  const write = async (c: ApiContext, keep: boolean) => {
    const actor = signedIn(c);
    const { repository, item } = routeItem(c, context);
    const body = await readBody(c, labelsBody);
    const labels = [...(keep ? item.labels : []), ...body.labels.map((l) => labelId(repository, l))];
    const how = keep ? 'change' : 'replace';
    await context.change(() => changeLabels(context, { item, actor, labels, how }));
    return c.json(itemLabels(context, repository, item));
  };
  api.post(`${ISSUE}/labels`, (c) => write(c, true));
  api.put(`${ISSUE}/labels`, (c) => write(c, false));
  api.delete(`${ISSUE}/labels`, async (c) => {
    const actor = signedIn(c);
    const { item } = routeItem(c, context);
    await context.change(() => changeLabels(context, { item, actor, labels: [], how: 'clear' }));
    return c.body(null, 204);
  });
  api.delete(`${ISSUE}/labels/:label`, async (c) => {
    const actor = signedIn(c);
    const { repository, item } = routeItem(c, context);
    const text = c.req.param('label');
    const gone = labelId(repository, /^\d+$/.test(text) ? Number(text) : text);
    if (gone === -1) throw new ForgeMissing(`No label ${text} in this repository. Check its name.`);
    const labels = item.labels.filter((id) => id !== gone);
    await context.change(() => changeLabels(context, { item, actor, labels, how: 'change' }));
    return c.body(null, 204);
  });
}

/** -1 for a name the repository lacks: the forge ignores it. */
function labelId(repository: StoredRepository, label: number | string): number {
  return typeof label === 'number' ? label : (repository.labels.find((l) => l.name === label)?.id ?? -1);
}

function addCommentRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const shape = (repository: StoredRepository, comment: StoredComment) => {
    const item = context.state.items.find((i) => i.id === comment.item);
    if (item === undefined)
      throw new ForgeMissing('The item of this comment is gone. Start on a new folder.');
    return commentShape(context, { repository, item, comment });
  };
  api.get(`${REPO}/issues/comments`, (c) => {
    const repository = routeRepository(c, context);
    const items = new Set(context.state.items.filter((i) => i.repository === repository.id).map((i) => i.id));
    const rows = withinTimes(
      c,
      context.state.comments.filter((comment) => items.has(comment.item)),
    );
    return c.json(page(c, context, rows).map((comment) => shape(repository, comment)));
  });
  // The whole conversation at once: the forge does not page this list.
  api.get(`${ISSUE}/comments`, (c) => {
    const { repository, item } = routeItem(c, context);
    const rows = withinTimes(
      c,
      context.state.comments.filter((comment) => comment.item === item.id),
    );
    c.header('X-Total-Count', String(rows.length));
    return c.json(rows.map((comment) => shape(repository, comment)));
  });
  api.post(`${ISSUE}/comments`, async (c) => {
    const actor = signedIn(c);
    const { repository, item } = routeItem(c, context);
    const { body } = await readBody(c, commentBody);
    const comment = await context.change(() => createComment(context, { item, actor, body }));
    return c.json(shape(repository, comment), 201);
  });
  api.get(COMMENT, (c) => {
    const repository = routeRepository(c, context);
    const comment = findComment(context, repository, routeNumber(c, 'id'));
    return comment === 'review' ? c.body(null, 204) : c.json(shape(repository, comment));
  });
  api.patch(COMMENT, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const comment = findComment(context, repository, routeNumber(c, 'id'));
    if (comment === 'review') return c.body(null, 204);
    const { body } = await readBody(c, commentBody);
    await context.change(() => editComment(context, { comment, actor, body }));
    return c.json(shape(repository, comment));
  });
  api.delete(COMMENT, async (c) => {
    const actor = signedIn(c);
    const comment = findComment(context, routeRepository(c, context), routeNumber(c, 'id'));
    if (comment !== 'review') await context.change(() => deleteComment(context, { comment, actor }));
    return c.body(null, 204);
  });
}

function addReactionRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const targetOf = (c: ApiContext): { target: 'item' | 'comment'; id: number } => {
    if (c.req.param('number') !== undefined) return { target: 'item', id: routeItem(c, context).item.id };
    const comment = findComment(context, routeRepository(c, context), routeNumber(c, 'id'));
    return { target: 'comment', id: comment === 'review' ? routeNumber(c, 'id') : comment.id };
  };
  for (const path of [`${ISSUE}/reactions`, `${COMMENT}/reactions`]) {
    api.get(path, (c) => {
      const { target, id } = targetOf(c);
      const rows = context.state.reactions.filter((r) => r.target === target && r.id === id);
      return c.json(rows.map((r) => reactionShape(context, r)));
    });
    api.post(path, async (c) => {
      const actor = signedIn(c);
      const { content } = await readBody(c, reactionBody);
      const { target, id } = targetOf(c);
      const { reaction, repeated } = await context.change(() =>
        react(context, { target, id, actor, content }),
      );
      return c.json(reactionShape(context, reaction), repeated ? 200 : 201);
    });
  }
}
