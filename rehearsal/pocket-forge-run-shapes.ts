/** The JSON shapes of Actions runs and jobs, and Gitea's deliveries about them. */
import { fullName, repositoryById, userById } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { commitShape } from './pocket-forge-pull-shapes.ts';
import { listCommits } from './pocket-forge-repositories.ts';
import { repositoryShape, userShape } from './pocket-forge-shapes.ts';
import type { RunStatus, StoredRun, StoredStatus } from './pocket-forge-state.ts';

export function runHtmlUrl(context: PocketContext, run: StoredRun): string {
  const name = fullName(context.state, repositoryById(context.state, run.repository));
  return `${context.url}/${name}/actions/runs/${run.index}`;
}

export function runShape(context: PocketContext, run: StoredRun) {
  const repository = repositoryById(context.state, run.repository);
  return {
    id: run.id,
    title: run.title,
    repository: repositoryShape(context, repository, 'omitted'),
    workflow_id: run.workflow,
    index_in_repo: run.index,
    trigger_user: userShape(context, userById(context.state, run.user)),
    // Capitalised on the wire: the field has no JSON name in Forgejo.
    ScheduleID: 0,
    prettyref: run.ref.replace(/^refs\/pull\/(\d+)\/head$/, '#$1').replace(/^refs\/(heads|tags)\//, ''),
    is_ref_deleted: false,
    commit_sha: run.sha,
    is_fork_pull_request: false,
    need_approval: false,
    approved_by: 0,
    event: run.event,
    event_payload: run.eventPayload,
    trigger_event: run.event,
    status: run.status,
    started: run.created,
    stopped: run.created,
    created: run.created,
    updated: run.created,
    // nanoseconds
    duration: 0,
    html_url: runHtmlUrl(context, run),
  };
}

export interface RunJob {
  name: string;
  status: RunStatus;
}

export function jobsOf(run: StoredRun): RunJob[] {
  return run.jobs ?? [{ name: 'build', status: run.status }];
}

/** Forgejo's statuses name the file; Gitea's the workflow. */
export function workflowName(context: PocketContext, run: StoredRun): string {
  return context.kind === 'forgejo' ? run.workflow : (run.name ?? run.workflow.replace(/\.ya?ml$/, ''));
}

/** A number that differs from the run's, so that code which mixes them up fails. */
export function jobId(run: StoredRun, index: number): number {
  return 1_000 * (index + 1) + run.id;
}

/** A job as GET /actions/runs/{id}/jobs lists it. */
export function jobShape(context: PocketContext, run: StoredRun, index: number) {
  const job = jobsOf(run)[index]!;
  const common = { id: jobId(run, index), name: job.name };
  if (context.kind === 'gitea') {
    return {
      ...common,
      html_url: `${runHtmlUrl(context, run)}/jobs/${index}`,
      run_id: run.id,
      labels: ['host'],
      run_attempt: 1,
      head_sha: run.sha,
      ...giteaState(job.status),
      created_at: run.created,
    };
  }
  return {
    ...common,
    repo_id: run.repository,
    owner_id: 0,
    needs: null,
    runs_on: ['docker'],
    task_id: run.id,
    status: job.status,
  };
}

const UNBEGUN: RunStatus[] = ['waiting', 'blocked', 'unknown'];
export const UNFINISHED: RunStatus[] = [...UNBEGUN, 'running'];

/** Gitea's way to say that a time is not set. */
const EPOCH = '1970-01-01T00:00:00Z';

/** Gitea has the state in one field and the result in another. */
function giteaState(status: RunStatus): { status: string; conclusion?: string } {
  if (status === 'running') return { status: 'in_progress' };
  if (UNBEGUN.includes(status)) return { status: 'queued' };
  return { status: 'completed', conclusion: status };
}

/** As Gitea lists a run and tells of it. Its attempt is always 0, and no pull request is named. */
export function workflowRunShape(context: PocketContext, run: StoredRun) {
  const repository = repositoryById(context.state, run.repository);
  const actor = userShape(context, userById(context.state, run.user));
  return {
    id: run.id,
    url: `${context.url}/api/v1/repos/${fullName(context.state, repository)}/actions/runs/${run.id}`,
    html_url: runHtmlUrl(context, run),
    display_title: run.title,
    path: `${run.workflow}@${run.ref}`,
    event: run.event,
    run_attempt: 0,
    run_number: run.index,
    head_sha: run.sha,
    ...giteaState(run.status),
    started_at: UNBEGUN.includes(run.status) ? EPOCH : run.created,
    completed_at: UNFINISHED.includes(run.status) ? EPOCH : run.created,
    actor,
    trigger_actor: actor,
    repository: repositoryShape(context, repository, 'omitted'),
  };
}

export function sendWorkflowEvent(
  context: PocketContext,
  { run, action }: { run: StoredRun; action: 'requested' | 'completed' },
): void {
  const repository = repositoryById(context.state, run.repository);
  const shown: StoredRun = action === 'requested' ? { ...run, status: 'waiting' } : run;
  context.hooks.send(repository, 'workflow_run', {
    action,
    workflow: {
      id: run.workflow,
      name: workflowName(context, run),
      path: `.gitea/workflows/${run.workflow}`,
      state: 'active',
    },
    workflow_run: workflowRunShape(context, shown),
    repository: repositoryShape(context, repository, 'omitted'),
    sender: userShape(context, userById(context.state, run.user)),
  });
}

export async function sendStatusEvent(context: PocketContext, status: StoredStatus): Promise<void> {
  const repository = repositoryById(context.state, status.repository);
  const [commit] = await listCommits(context.git, folderOf(context, repository), [
    '--max-count=1',
    status.sha,
  ]);
  context.hooks.send(repository, 'status', {
    commit: commit === undefined ? null : commitShape(context, repository, commit),
    context: status.context,
    created_at: status.created,
    description: status.description,
    id: status.id,
    repository: repositoryShape(context, repository, 'owner'),
    sender: userShape(context, userById(context.state, status.creator)),
    sha: status.sha,
    state: status.state,
    target_url: status.targetUrl,
    updated_at: status.created,
  });
}

/** One job of a run as GET /actions/tasks lists it; here every run has exactly one. */
export function taskShape(context: PocketContext, run: StoredRun) {
  return {
    id: run.id,
    name: 'build',
    head_branch: run.ref.replace(/^refs\/heads\//, ''),
    head_sha: run.sha,
    run_number: run.index,
    event: run.event,
    display_title: run.title,
    status: run.status,
    workflow_id: run.workflow,
    url: runHtmlUrl(context, run),
    created_at: run.created,
    updated_at: run.created,
    run_started_at: run.created,
  };
}
