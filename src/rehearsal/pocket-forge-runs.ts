/** Commit statuses and Actions runs. Nothing is executed: a run is what somebody says it was. */
import { ForgeRefused } from '../errors.ts';
import { findPull, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { sendRunEvent } from './pocket-forge-events.ts';
import { goJson } from './pocket-forge-hooks.ts';
import { pullShape, runHtmlUrl } from './pocket-forge-pull-shapes.ts';
import { resolveCommit } from './pocket-forge-repositories.ts';
import { repositoryShape, userShape } from './pocket-forge-shapes.ts';
import {
  nextId,
  now,
  type RunStatus,
  type StatusState,
  type StoredRepository,
  type StoredRun,
  type StoredStatus,
  type StoredUser,
} from './pocket-forge-state.ts';

export interface NewStatus {
  state: StatusState;
  context: string;
  description: string;
  targetUrl: string;
}

/** Forgejo sends no webhook for a status. */
export async function createStatus(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; input: NewStatus },
): Promise<StoredStatus> {
  requirePermission(o.repository, o.actor, 'write');
  const sha = await requireCommit(context, o.repository, o.sha);
  const status: StoredStatus = {
    ...o.input,
    context: o.input.context === '' ? 'default' : o.input.context,
    id: nextId(context.state, 'status'),
    repository: o.repository.id,
    sha,
    creator: o.actor.id,
    created: now(),
  };
  context.state.statuses.push(status);
  return status;
}

async function requireCommit(
  context: PocketContext,
  repository: StoredRepository,
  rev: string,
): Promise<string> {
  const sha = await resolveCommit(context.git, folderOf(context, repository), rev);
  if (sha === null) throw new ForgeRefused(`There is no commit ${rev} here. Push it first.`, 404);
  return sha;
}

/** The newest status of each context, in the order the contexts appeared. */
export function newestStatuses(
  context: PocketContext,
  repository: StoredRepository,
  sha: string,
): StoredStatus[] {
  const byContext = new Map<string, StoredStatus>();
  for (const status of context.state.statuses) {
    if (status.repository === repository.id && status.sha === sha) byContext.set(status.context, status);
  }
  return [...byContext.values()];
}

const WORST_FIRST: StatusState[] = ['error', 'failure', 'warning', 'pending', 'success', 'skipped'];

/** '' when there is no status. */
export function combinedState(statuses: StoredStatus[]): StatusState | '' {
  return WORST_FIRST.find((state) => statuses.some((s) => s.state === state)) ?? '';
}

export interface NewRun {
  sha: string;
  status: RunStatus;
  /** file name, e.g. `ci.yaml` */
  workflow: string;
  /** the pull request that triggered the run; without it a push to the default branch did */
  pull?: number;
  /** of its one job */
  log?: string;
}

const UNFINISHED: RunStatus[] = ['waiting', 'running', 'blocked', 'unknown'];

/**
 * Records a run and its commit status. Only a finished run sends hooks: success, or failure for everything else that
 * ended it (cancelled and skipped too), and recover after success when the run before it was no success.
 */
export async function recordRun(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; input: NewRun },
): Promise<StoredRun> {
  requirePermission(o.repository, o.actor, 'write');
  const sha = await requireCommit(context, o.repository, o.input.sha);
  const run = storeRun(context, { ...o, sha });
  const last = runBefore(context, run);
  await createStatus(context, { ...o, sha, input: statusOf(context, run) });
  if (UNFINISHED.includes(run.status)) return run;
  const prior = 'running';
  const outcome = run.status === 'success' ? 'success' : 'failure';
  sendRunEvent(context, { run, last, outcome, prior });
  if (outcome === 'success' && last !== null && last.status !== 'success') {
    sendRunEvent(context, { run, last, outcome: 'recover', prior });
  }
  return run;
}

function storeRun(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; input: NewRun },
): StoredRun {
  const { pull } = o.input;
  const title = pull === undefined ? o.input.workflow : findPull(context.state, o.repository, pull).title;
  const run: StoredRun = {
    id: nextId(context.state, 'run'),
    repository: o.repository.id,
    index: context.state.runs.filter((r) => r.repository === o.repository.id).length + 1,
    title,
    workflow: o.input.workflow,
    sha: o.sha,
    ref: pull === undefined ? `refs/heads/${o.repository.defaultBranch}` : `refs/pull/${pull}/head`,
    event: pull === undefined ? 'push' : 'pull_request',
    eventPayload: triggerPayload(context, o),
    status: o.input.status,
    log: o.input.log ?? '',
    user: o.actor.id,
    created: now(),
  };
  context.state.runs.push(run);
  return run;
}

/** The payload of the happening that triggered the run: the only way from a run to its pull request. */
function triggerPayload(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; input: NewRun },
): string {
  const tail = {
    repository: repositoryShape(context, o.repository, o.actor),
    sender: userShape(context, o.actor),
  };
  const { pull } = o.input;
  if (pull === undefined) {
    return goJson({ ref: `refs/heads/${o.repository.defaultBranch}`, after: o.sha, ...tail }, 2);
  }
  const item = findPull(context.state, o.repository, pull);
  const body = { action: 'synchronized', number: pull, pull_request: pullShape(context, item, o.actor) };
  return goJson({ ...body, requested_reviewer: null, ...tail, commit_id: '', review: null }, 2);
}

function runBefore(context: PocketContext, run: StoredRun): StoredRun | null {
  const earlier = context.state.runs.filter(
    (r) =>
      r !== run &&
      r.repository === run.repository &&
      r.workflow === run.workflow &&
      r.ref === run.ref &&
      !UNFINISHED.includes(r.status),
  );
  return earlier.at(-1) ?? null;
}

function statusOf(context: PocketContext, run: StoredRun): NewStatus {
  const ended = run.status === 'success' || run.status === 'skipped' ? run.status : 'failure';
  return {
    state: UNFINISHED.includes(run.status) ? 'pending' : ended,
    context: `${run.workflow} / build (${run.event})`,
    description: run.status,
    targetUrl: runHtmlUrl(context, run),
  };
}
