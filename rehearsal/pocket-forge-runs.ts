/** Commit statuses and Actions runs. Nothing is executed: the test or the script says how a run ended. */
import { ForgeRefused } from '../src/errors.ts';
import { ACTIONS, findPull, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { sendRunEvent } from './pocket-forge-events.ts';
import { goJson } from './pocket-forge-hooks.ts';
import { HABITS } from './pocket-forge-kinds.ts';
import { pullShape } from './pocket-forge-pull-shapes.ts';
import { listCommits, resolveCommit } from './pocket-forge-repositories.ts';
import {
  jobsOf,
  type RunJob,
  runHtmlUrl,
  sendStatusEvent,
  sendWorkflowEvent,
  UNFINISHED,
  workflowName,
} from './pocket-forge-run-shapes.ts';
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

export async function createStatus(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; input: NewStatus },
): Promise<StoredStatus> {
  requirePermission(o.repository, o.actor, 'write');
  const sha = await requireCommit(context, o.repository, o.sha);
  return await storeStatus(context, { ...o, sha });
}

/** Forgejo sends no webhook for a status. */
async function storeStatus(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; input: NewStatus },
): Promise<StoredStatus> {
  const status: StoredStatus = {
    ...o.input,
    context: o.input.context === '' ? 'default' : o.input.context,
    id: nextId(context.state, 'status'),
    repository: o.repository.id,
    sha: o.sha,
    creator: o.actor.id,
    created: now(),
  };
  context.state.statuses.push(status);
  if (HABITS[context.kind].tellsStatuses) await sendStatusEvent(context, status);
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
  /** of its first job */
  log?: string;
  /** left out, it is one job called build */
  jobs?: { name: string; status: RunStatus }[];
  /** what the workflow calls itself (Gitea); left out, as its file is called */
  name?: string;
  /** that was pushed, where no pull request is named; left out, the default branch */
  branch?: string;
  /** the workflow's file is not on the default branch: Gitea then sends statuses alone */
  onOtherBranch?: boolean;
}

/**
 * Records a run and the commit statuses of its jobs. On Forgejo a finished run sends one hook: success, or failure for
 * everything else that ended it (cancelled and skipped too). It has a name for a recovery and never uses it. On Gitea
 * every job tells its status, beginning and end, and workflow_run tells of the run.
 */
export async function recordRun(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; input: NewRun },
): Promise<StoredRun> {
  requirePermission(o.repository, o.actor, 'write');
  const sha = await requireCommit(context, o.repository, o.input.sha);
  const [commit] = await listCommits(context.git, folderOf(context, o.repository), ['--max-count=1', sha]);
  const title = commit?.message.split('\n')[0] ?? '';
  const run = storeRun(context, { ...o, sha, title });
  await (HABITS[context.kind].tellsStatuses ? tellJobs(context, o, run) : tellRun(context, o, run));
  return run;
}

type Recording = { repository: StoredRepository; actor: StoredUser; input: NewRun };

async function tellRun(context: PocketContext, o: Recording, run: StoredRun): Promise<void> {
  for (const [index, job] of jobsOf(run).entries()) {
    const input = statusOf(context, run, { job, index });
    await storeStatus(context, { ...o, sha: run.sha, input });
  }
  if (UNFINISHED.includes(run.status)) return;
  sendRunEvent(context, { run, outcome: run.status === 'success' ? 'success' : 'failure', prior: 'running' });
}

async function tellJobs(context: PocketContext, o: Recording, run: StoredRun): Promise<void> {
  const tell = async (jobs: RunJob[]) => {
    for (const [index, job] of jobs.entries()) {
      const input = statusOf(context, run, { job, index });
      await storeStatus(context, { repository: o.repository, actor: ACTIONS, sha: run.sha, input });
    }
  };
  const tellWorkflow = (action: 'requested' | 'completed') => {
    if (o.input.onOtherBranch !== true) sendWorkflowEvent(context, { run, action });
  };
  await tell(jobsOf(run).map((job) => ({ ...job, status: 'waiting' })));
  tellWorkflow('requested');
  if (UNFINISHED.includes(run.status)) return;
  await tell(jobsOf(run));
  tellWorkflow('completed');
  // As recorded, for whatever reason.
  if (run.status === 'cancelled') tellWorkflow('completed');
}

function storeRun(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; sha: string; title: string; input: NewRun },
): StoredRun {
  const { pull, branch = o.repository.defaultBranch } = o.input;
  const run: StoredRun = {
    id: nextId(context.state, 'run'),
    repository: o.repository.id,
    index: context.state.runs.filter((r) => r.repository === o.repository.id).length + 1,
    title: o.title,
    workflow: o.input.workflow,
    ...(o.input.name === undefined ? {} : { name: o.input.name }),
    sha: o.sha,
    ref: pull === undefined ? `refs/heads/${branch}` : `refs/pull/${pull}/head`,
    event: pull === undefined ? 'push' : 'pull_request',
    eventPayload: triggerPayload(context, o),
    status: o.input.status,
    log: o.input.log ?? '',
    ...(o.input.jobs === undefined ? {} : { jobs: o.input.jobs }),
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
    const { branch = o.repository.defaultBranch } = o.input;
    return goJson({ ref: `refs/heads/${branch}`, after: o.sha, ...tail }, 2);
  }
  const item = findPull(context.state, o.repository, pull);
  const body = { action: 'synchronized', number: pull, pull_request: pullShape(context, item, o.actor) };
  return goJson({ ...body, requested_reviewer: null, ...tail, commit_id: '', review: null }, 2);
}

const DESCRIPTIONS: Partial<Record<RunStatus, string>> = {
  success: 'Successful in 1s',
  failure: 'Failing after 1s',
  cancelled: 'Has been cancelled',
  skipped: 'Has been skipped',
  running: 'Has started running',
  waiting: 'Waiting to run',
  blocked: 'Blocked by required conditions',
};

/** Both forges call a cancelled job a failure; its description alone tells. */
function statusOf(
  context: PocketContext,
  run: StoredRun,
  { job, index }: { job: RunJob; index: number },
): NewStatus {
  const ended = job.status === 'success' || job.status === 'skipped' ? job.status : 'failure';
  return {
    state: UNFINISHED.includes(job.status) ? 'pending' : ended,
    context: `${workflowName(context, run)} / ${job.name} (${run.event})`,
    description: DESCRIPTIONS[job.status] ?? '',
    targetUrl: `${runHtmlUrl(context, run)}/jobs/${index}`,
  };
}
