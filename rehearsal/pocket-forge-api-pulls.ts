/** REST: pull requests, reviews, review requests, merging. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { findPull, isPull, type PullItem } from './pocket-forge-access.ts';
import { itemEditBody, newItemBody, sortItems } from './pocket-forge-api-issues.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { cancelMerge, mergeScheduled, requireRules, scheduleMerge } from './pocket-forge-protection.ts';
import { pullShape, reviewCommentShape, reviewShape } from './pocket-forge-pull-shapes.ts';
import {
  editPull,
  mergePull,
  openPull,
  pullByBranches,
  requestReview,
  requireMergeable,
  withdrawReviewRequest,
} from './pocket-forge-pulls.ts';
import { MERGE_STYLES } from './pocket-forge-repositories.ts';
import {
  type ApiContext,
  type PocketApi,
  page,
  readBody,
  routeNumber,
  routeRepository,
  signedIn,
  visitor,
} from './pocket-forge-requests.ts';
import {
  createReview,
  dismissReview,
  findReview,
  REVIEW_EVENTS,
  submitReview,
  visibleReviews,
} from './pocket-forge-reviews.ts';

const newPullBody = newItemBody.extend({ head: z.string().min(1), base: z.string().min(1) });
const pullEditBody = itemEditBody.extend({ base: z.string().optional() });
const reviewersBody = z.object({ reviewers: z.array(z.string()).default([]) });

const position = z
  .int()
  .min(0)
  .nullish()
  .transform((v) => v ?? 0);
const reviewBody = z.object({
  event: z
    .enum([...REVIEW_EVENTS, ''])
    .default('')
    .transform((v) => v || 'PENDING'),
  body: z
    .string()
    .nullish()
    .transform((v) => v ?? ''),
  commit_id: z
    .string()
    .nullish()
    .transform((v) => v ?? ''),
  comments: z
    .array(z.object({ path: z.string(), body: z.string(), new_position: position, old_position: position }))
    .nullish()
    .transform((v) => v ?? []),
});

const mergeBody = z.object({
  Do: z.string(),
  MergeTitleField: z.string().optional(),
  MergeMessageField: z.string().optional(),
  head_commit_id: z.string().optional(),
  merge_when_checks_succeed: z.boolean().optional(),
  delete_branch_after_merge: z.boolean().optional(),
});

const PULLS = '/repos/:owner/:name/pulls';
const PULL = `${PULLS}/:number{[0-9]+}`;
const REVIEW = `${PULL}/reviews/:id{[0-9]+}`;

export function addPullRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  addListRoutes(api, context);
  addOnePullRoutes(api, context);
  addReviewRoutes(api, context);
  addReviewerRoutes(api, context);
  addMergeRoutes(api, context);
  // Registered last, because `:base` also matches the numbers in the routes above.
  api.get(`${PULLS}/:base/:head{.+}`, (c) => {
    const { base, head } = c.req.param();
    const item = pullByBranches(context, { repository: routeRepository(c, context), base, head });
    if (item === undefined) throw new ForgeMissing(`No pull request from ${head} into ${base}. Open one.`);
    return c.json(show(c, context, item));
  });
}

function show(c: ApiContext, context: PocketContext, item: PullItem) {
  return pullShape(context, item, visitor(c) ?? 'omitted');
}

function routePull(c: ApiContext, context: PocketContext): PullItem {
  return findPull(context.state, routeRepository(c, context), routeNumber(c));
}

function addListRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(PULLS, (c) => {
    const repository = routeRepository(c, context);
    const { state = 'open', head, base, poster, sort } = c.req.query();
    const author = context.state.users.find((u) => u.login.toLowerCase() === poster?.toLowerCase())?.id;
    const rows = context.state.items
      .filter(isPull)
      .filter((i) => i.repository === repository.id)
      .filter((i) => state === 'all' || i.state === state)
      .filter((i) => head === undefined || i.pull.headRef === head.replace(/^[^:]*:/, ''))
      .filter((i) => base === undefined || i.pull.baseRef === base)
      .filter((i) => poster === undefined || i.author === author);
    return c.json(page(c, context, sortItems(sort, rows)).map((item) => show(c, context, item)));
  });
  api.post(PULLS, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const input = await readBody(c, newPullBody);
    const item = await context.change(() => openPull(context, { repository, actor, input }));
    return c.json(show(c, context, item), 201);
  });
}

function addOnePullRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(PULL, (c) => c.json(show(c, context, routePull(c, context))));
  api.patch(PULL, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const edit = await readBody(c, pullEditBody);
    await context.change(() => editPull(context, { item, actor, edit }));
    return c.json(show(c, context, item), 201);
  });
  api.get(`${PULLS}/:file{[0-9]+\\.(?:diff|patch)}`, async (c) => {
    const [number, kind] = c.req.param('file').split('.');
    const repository = routeRepository(c, context);
    const { pull } = findPull(context.state, repository, Number(number));
    const args =
      kind === 'diff'
        ? ['diff', '--no-color', pull.mergeBase, pull.headSha]
        : ['format-patch', '--stdout', `${pull.mergeBase}..${pull.headSha}`];
    return c.text(await context.git.run({ folder: folderOf(context, repository), args }));
  });
}

function addReviewRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(`${PULL}/reviews`, (c) => {
    const item = routePull(c, context);
    const rows = page(c, context, visibleReviews(context, item, visitor(c)));
    return c.json(rows.map((review) => reviewShape(context, item, review)));
  });
  api.post(`${PULL}/reviews`, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const body = await readBody(c, reviewBody);
    const comments = body.comments.map((comment) => ({
      path: comment.path,
      body: comment.body,
      newPosition: comment.new_position,
      oldPosition: comment.old_position,
    }));
    const input = { event: body.event, body: body.body, commit: body.commit_id, comments };
    const review = await context.change(async () => {
      const made = await createReview(context, { item, actor, input });
      if (made.state === 'APPROVED') await mergeScheduled(context, routeRepository(c, context));
      return made;
    });
    return c.json(reviewShape(context, item, review));
  });
  api.get(REVIEW, (c) => {
    const item = routePull(c, context);
    const review = findReview(context, { item, viewer: visitor(c), id: routeNumber(c, 'id') });
    return c.json(reviewShape(context, item, review));
  });
  api.post(REVIEW, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const review = findReview(context, { item, viewer: actor, id: routeNumber(c, 'id') });
    const { event, body } = await readBody(c, reviewBody);
    await context.change(() => submitReview(context, { item, actor, review, event, body }));
    return c.json(reviewShape(context, item, review));
  });
  api.post(`${REVIEW}/dismissals`, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const review = findReview(context, { item, viewer: actor, id: routeNumber(c, 'id') });
    await context.change(() => dismissReview(context, { item, actor, review }));
    return c.json(reviewShape(context, item, review));
  });
  api.get(`${REVIEW}/comments`, (c) => {
    const item = routePull(c, context);
    const review = findReview(context, { item, viewer: visitor(c), id: routeNumber(c, 'id') });
    return c.json(review.comments.map((comment) => reviewCommentShape(context, { item, review, comment })));
  });
}

function addReviewerRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.post(`${PULL}/requested_reviewers`, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const { reviewers } = await readBody(c, reviewersBody);
    await context.change(() => requestReview(context, { item, actor, logins: reviewers }));
    const logins = reviewers.map((login) => login.toLowerCase());
    const asked = visibleReviews(context, item, actor).filter(
      (r) =>
        r.state === 'REQUEST_REVIEW' &&
        logins.includes(context.state.users.find((u) => u.id === r.author)?.login.toLowerCase() ?? ''),
    );
    return c.json(
      asked.map((review) => reviewShape(context, item, review)),
      201,
    );
  });
  api.delete(`${PULL}/requested_reviewers`, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const { reviewers } = await readBody(c, reviewersBody);
    await context.change(() => withdrawReviewRequest(context, { item, actor, logins: reviewers }));
    return c.body(null, 204);
  });
}

function addMergeRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(`${PULL}/merge`, (c) => {
    if (routePull(c, context).pull.merged !== null) return c.body(null, 204);
    throw new ForgeMissing('The pull request is not merged. Merge it with POST.');
  });
  api.post(`${PULL}/merge`, async (c) => {
    const actor = signedIn(c);
    const item = routePull(c, context);
    const body = await readBody(c, mergeBody);
    const style = MERGE_STYLES.find((known) => known === body.Do);
    if (style === undefined) {
      throw new ForgeRefused(
        `Do=${body.Do} is not allowed here. Use one of ${MERGE_STYLES.join(', ')}.`,
        405,
      );
    }
    const call = {
      item,
      actor,
      style,
      title: body.MergeTitleField,
      message: body.MergeMessageField,
      headCommit: body.head_commit_id,
      deleteBranch: body.delete_branch_after_merge,
    };
    const later = body.merge_when_checks_succeed === true;
    await context.change(async () => {
      if (later) return scheduleMerge(context, call);
      requireMergeable(call);
      requireRules(context, item);
      await mergePull(context, call);
    });
    return c.body(null, later ? 201 : 200);
  });
  api.delete(`${PULL}/merge`, async (c) => {
    const call = { item: routePull(c, context), actor: signedIn(c) };
    await context.change(() => cancelMerge(context, call));
    return c.body(null, 204);
  });
}
