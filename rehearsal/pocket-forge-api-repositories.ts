/** REST: repositories, branches, statuses, runs, collaborators, hooks. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { findUser, fullName, may, permissionOf, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { addHook, findHook, hookBody, newHookOf, removeHook } from './pocket-forge-hook-admin.ts';
import { HABITS } from './pocket-forge-kinds.ts';
import { mergeScheduled, protect, protectionOf } from './pocket-forge-protection.ts';
import { commitShape, statusShape } from './pocket-forge-pull-shapes.ts';
import { deleteBranch } from './pocket-forge-pulls.ts';
import { testHook } from './pocket-forge-pushes.ts';
import { listCommits, listRefs, resolveCommit } from './pocket-forge-repositories.ts';
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
import { jobId, jobShape, jobsOf, runShape, taskShape, workflowRunShape } from './pocket-forge-run-shapes.ts';
import { combinedState, createStatus, newestStatuses } from './pocket-forge-runs.ts';
import { hookShape, repositoryShape, userShape } from './pocket-forge-shapes.ts';
import type { StoredProtection, StoredRepository, StoredRun } from './pocket-forge-state.ts';

const statusBody = z.object({
  state: z.enum(['pending', 'success', 'error', 'failure', 'warning', 'skipped']),
  context: z.string().default(''),
  description: z.string().default(''),
  target_url: z.string().default(''),
});

const collaboratorBody = z.object({ permission: z.enum(['read', 'write', 'admin']).default('write') });

const protectionBody = z.object({
  rule_name: z.string().min(1),
  enable_status_check: z.boolean().default(false),
  status_check_contexts: z.array(z.string()).default([]),
  required_approvals: z.int().min(0).default(0),
  block_on_rejected_reviews: z.boolean().default(false),
});

const REPO = '/repos/:owner/:name';

export function addRepositoryRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.get(REPO, (c) =>
    c.json(repositoryShape(context, routeRepository(c, context), visitor(c) ?? 'omitted')),
  );
  addBranchRoutes(api, context);
  addStatusRoutes(api, context);
  addRunRoutes(api, context);
  addCollaboratorRoutes(api, context);
  addHookRoutes(api, context);
  addProtectionRoutes(api, context);
}

function addBranchRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const branches = async (repository: StoredRepository) => {
    const refs = await listRefs(context.git, folderOf(context, repository));
    return [...refs].filter(([ref]) => ref.startsWith('refs/heads/'));
  };
  const shape = async (c: ApiContext, repository: StoredRepository, [ref, sha]: [string, string]) => {
    const [commit] = await listCommits(context.git, folderOf(context, repository), ['--max-count=1', sha]);
    const writer = may(repository, visitor(c), 'write');
    const name = ref.slice('refs/heads/'.length);
    const rule = protectionOf(repository, name);
    return {
      name,
      commit: commit === undefined ? null : commitShape(context, repository, commit),
      protected: rule !== undefined,
      required_approvals: rule?.approvals ?? 0,
      enable_status_check: (rule?.contexts.length ?? 0) > 0,
      status_check_contexts: rule?.contexts ?? [],
      user_can_push: writer,
      user_can_merge: writer,
      effective_branch_protection_name: '',
    };
  };
  api.get(`${REPO}/branches`, async (c) => {
    const repository = routeRepository(c, context);
    const rows = page(c, context, await branches(repository));
    return c.json(await Promise.all(rows.map((row) => shape(c, repository, row))));
  });
  api.get(`${REPO}/branches/:branch{.+}`, async (c) => {
    const repository = routeRepository(c, context);
    const name = c.req.param('branch');
    const row = (await branches(repository)).find(([ref]) => ref === `refs/heads/${name}`);
    if (row === undefined) throw new ForgeMissing(`There is no branch ${name}. Check its name.`);
    return c.json(await shape(c, repository, row));
  });
  api.delete(`${REPO}/branches/:branch{.+}`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const branch = c.req.param('branch');
    await context.change(() => deleteBranch(context, { repository, actor, branch }));
    return c.body(null, 204);
  });
}

function addStatusRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  api.post(`${REPO}/statuses/:sha`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const { target_url: targetUrl, ...rest } = await readBody(c, statusBody);
    const sha = c.req.param('sha');
    const call = { repository, actor, sha, input: { ...rest, targetUrl } };
    const made = await context.change(async () => {
      const status = await createStatus(context, call);
      if (status.state === 'success') await mergeScheduled(context, repository);
      return status;
    });
    return c.json(statusShape(context, made), 201);
  });
  const commitOf = async (repository: StoredRepository, ref: string) => {
    const sha = await resolveCommit(context.git, folderOf(context, repository), ref);
    if (sha === null) throw new ForgeMissing(`There is no commit or ref ${ref}. Push it first.`);
    return sha;
  };
  const list = async (c: ApiContext, ref: string) => {
    const repository = routeRepository(c, context);
    const sha = await commitOf(repository, ref);
    const rows = context.state.statuses.filter((s) => s.repository === repository.id && s.sha === sha);
    return c.json(page(c, context, rows.toReversed()).map((s) => statusShape(context, s)));
  };
  api.get(`${REPO}/statuses/:sha`, (c) => list(c, c.req.param('sha')));
  api.get(`${REPO}/commits/:ref{.+}/statuses`, (c) => list(c, c.req.param('ref')));
  api.get(`${REPO}/commits/:ref{.+}/status`, async (c) => {
    const repository = routeRepository(c, context);
    const sha = await commitOf(repository, c.req.param('ref'));
    const statuses = newestStatuses(context, repository, sha);
    const url = `${context.url}/api/v1/repos/${fullName(context.state, repository)}/commits/${sha}`;
    return c.json({
      state: combinedState(statuses),
      sha,
      total_count: statuses.length,
      // `null` where there is none: Go encodes an empty slice that was never made as null.
      statuses: statuses.length === 0 ? null : statuses.map((s) => statusShape(context, s)),
      repository: repositoryShape(context, repository, visitor(c) ?? 'omitted'),
      commit_url: url,
      url: `${url}/status`,
    });
  });
}

function addRunRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const runs = (c: ApiContext): StoredRun[] => {
    const repository = routeRepository(c, context);
    const { event, status, head_sha: sha, run_number: index, workflow_id: workflow, ref } = c.req.query();
    const newestFirst = context.state.runs.filter((r) => r.repository === repository.id).toReversed();
    return newestFirst.filter(
      (r) =>
        (event === undefined || r.event === event) &&
        (status === undefined || r.status === status) &&
        (sha === undefined || r.sha === sha) &&
        (index === undefined || r.index === Number(index)) &&
        (workflow === undefined || r.workflow === workflow) &&
        (ref === undefined || r.ref === ref),
    );
  };
  const answer = (c: ApiContext, shape: (context: PocketContext, run: StoredRun) => object) => {
    const rows = runs(c);
    const shown = page(c, context, rows).map((run) => shape(context, run));
    return c.json({ total_count: rows.length, workflow_runs: shown });
  };
  const shape = context.kind === 'gitea' ? workflowRunShape : runShape;
  api.get(`${REPO}/actions/runs`, (c) => {
    if (
      HABITS[context.kind].runsAreTheOwners &&
      permissionOf(routeRepository(c, context), visitor(c)) !== 'owner'
    ) {
      throw new ForgeRefused('user should be the owner of the repo. Ask for the statuses of a commit.', 403);
    }
    return answer(c, shape);
  });
  api.get(`${REPO}/actions/tasks`, (c) => answer(c, taskShape));
  addJobRoutes(api, context, runs);
  api.get(`${REPO}/actions/runs/:id{[0-9]+}`, (c) => {
    const run = runs(c).find((r) => r.id === routeNumber(c, 'id'));
    if (run === undefined) throw new ForgeMissing('No such run in this repository. List the runs.');
    return c.json(shape(context, run));
  });
}

function addJobRoutes(
  api: Hono<PocketApi>,
  context: PocketContext,
  runs: (c: ApiContext) => StoredRun[],
): void {
  api.get(`${REPO}/actions/runs/:id{[0-9]+}/jobs`, (c) => {
    const run = runs(c).find((r) => r.id === routeNumber(c, 'id'));
    if (run === undefined) throw new ForgeMissing('No such run in this repository. List the runs.');
    const jobs = jobsOf(run).map((_, index) => jobShape(context, run, index));
    const shown = page(c, context, jobs);
    return c.json(context.kind === 'gitea' ? { total_count: jobs.length, jobs: shown } : shown);
  });
  api.get(`${REPO}/actions/jobs/:id{[0-9]+}/logs`, (c) => {
    const run = runs(c).find((r) => jobsOf(r).some((_, index) => jobId(r, index) === routeNumber(c, 'id')));
    if (run === undefined) throw new ForgeMissing('No such job in this repository. List the jobs of a run.');
    const log = Buffer.from(run.log ?? '');
    c.header('Content-Type', 'text/plain; charset=utf-8');
    const last = /^bytes=-(\d+)$/.exec(c.req.header('range') ?? '')?.[1];
    if (last === undefined || log.length === 0) return c.body(log.toString());
    const start = Math.max(0, log.length - Number(last));
    c.header('Content-Range', `bytes ${start}-${log.length - 1}/${log.length}`);
    return c.body(log.subarray(start).toString(), 206);
  });
}

function addProtectionRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const shape = (rule: StoredProtection) => ({
    branch_name: rule.branch,
    rule_name: rule.branch,
    enable_status_check: rule.contexts.length > 0,
    status_check_contexts: rule.contexts,
    required_approvals: rule.approvals,
    block_on_rejected_reviews: rule.blockOnRejectedReviews,
  });
  api.get(`${REPO}/branch_protections`, (c) => {
    const repository = routeRepository(c, context);
    requirePermission(repository, signedIn(c), 'admin');
    return c.json((repository.protections ?? []).map(shape));
  });
  api.post(`${REPO}/branch_protections`, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const body = await readBody(c, protectionBody);
    const rule = {
      branch: body.rule_name,
      contexts: body.enable_status_check ? body.status_check_contexts : [],
      approvals: body.required_approvals,
      blockOnRejectedReviews: body.block_on_rejected_reviews,
    };
    await context.change(() => protect(repository, { actor, rule }));
    return c.json(shape(rule), 201);
  });
}

function addCollaboratorRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  // Accounts that may write, the whole list at once. A site admin is listed only when another reason makes it one of
  // them.
  api.get(`${REPO}/assignees`, (c) => {
    const repository = routeRepository(c, context);
    const writers = repository.collaborators.filter((k) => k.permission !== 'read').map((k) => k.user);
    const shown = context.state.users.filter((u) => u.id === repository.owner || writers.includes(u.id));
    return c.json(shown.map((user) => userShape(context, user)));
  });
  api.get(`${REPO}/collaborators/:user/permission`, (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    const user = findUser(context.state, c.req.param('user'));
    if (user.id !== actor.id && !may(repository, actor, 'admin')) {
      throw new ForgeRefused('Only repository admins see what others may. Ask about yourself.', 403);
    }
    const permission = permissionOf(repository, user);
    return c.json({ permission, role_name: permission, user: userShape(context, user) });
  });
  const COLLABORATOR = `${REPO}/collaborators/:user`;
  api.get(COLLABORATOR, (c) => {
    signedIn(c);
    const user = findUser(context.state, c.req.param('user'));
    if (routeRepository(c, context).collaborators.some((k) => k.user === user.id)) return c.body(null, 204);
    throw new ForgeMissing(`${user.login} is no collaborator. Add the account with PUT.`);
  });
  api.put(COLLABORATOR, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    requirePermission(repository, actor, 'admin');
    const user = findUser(context.state, c.req.param('user')).id;
    const { permission } = await readBody(c, collaboratorBody);
    await context.change(() => {
      const others = repository.collaborators.filter((k) => k.user !== user);
      repository.collaborators = [...others, { user, permission }];
    });
    return c.body(null, 204);
  });
  api.delete(COLLABORATOR, async (c) => {
    const actor = signedIn(c);
    const repository = routeRepository(c, context);
    requirePermission(repository, actor, 'admin');
    const user = findUser(context.state, c.req.param('user')).id;
    await context.change(() => {
      repository.collaborators = repository.collaborators.filter((k) => k.user !== user);
    });
    return c.body(null, 204);
  });
}

function addHookRoutes(api: Hono<PocketApi>, context: PocketContext): void {
  const admin = (c: ApiContext) => {
    const call = { actor: signedIn(c), repository: routeRepository(c, context) };
    requirePermission(call.repository, call.actor, 'admin');
    return call;
  };
  api.get(`${REPO}/hooks`, (c) => c.json(page(c, context, admin(c).repository.hooks).map(hookShape)));
  api.post(`${REPO}/hooks`, async (c) => {
    const call = admin(c);
    const input = newHookOf(await readBody(c, hookBody));
    return c.json(hookShape(await context.change(() => addHook(context, { ...call, input }))), 201);
  });
  api.get(`${REPO}/hooks/:id{[0-9]+}`, (c) =>
    c.json(hookShape(findHook({ ...admin(c), id: routeNumber(c, 'id') }))),
  );
  api.post(`${REPO}/hooks/:id{[0-9]+}/tests`, async (c) => {
    const call = admin(c);
    const hook = findHook({ ...call, id: routeNumber(c, 'id') });
    await context.change(() => testHook(context, { ...call, hook }));
    return c.body(null, 204);
  });
  api.delete(`${REPO}/hooks/:id{[0-9]+}`, async (c) => {
    const call = { ...admin(c), id: routeNumber(c, 'id') };
    await context.change(() => removeHook(call));
    return c.body(null, 204);
  });
}
