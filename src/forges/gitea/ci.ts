/**
 * CI results: Forgejo's action_run_* and Gitea's workflow_run and status. A run may belong to a pull request without
 * carrying it; then the item has only its number and kind, and empty strings for the rest. Without a number the item
 * is null, and the router finds it by the head commit.
 */
import type { EventItem, EventPull } from '../../vocabulary.ts';
import type { ParseOutcome } from '../kit.ts';
import { isWorkContext } from '../own-status.ts';
import { isCancellation } from './answers.ts';
import { toPull, toPullItem } from './objects.ts';
import { type Arrival, event, ignored, reading } from './outcomes.ts';
import {
  type ActionRunPayload,
  actionRunPayload,
  type PullRequestObject,
  pullRequest,
  type RepositoryObject,
  type StatusPayload,
  statusPayload,
  type WorkflowRunPayload,
  workflowRunPayload,
} from './payloads.ts';

const ACTION_RUN_EVENTS = {
  action_run_success: { name: 'ci.succeeded', status: 'success' },
  // Cancelled and skipped runs arrive under this name too; only their status differs.
  action_run_failure: { name: 'ci.failed', status: 'failure' },
} as const;

export const parseActionRun = reading(actionRunPayload, ({ run }: ActionRunPayload, arrival) => {
  const type = arrival.headers.eventType as keyof typeof ACTION_RUN_EVENTS;
  const expected = ACTION_RUN_EVENTS[type];
  if (run.status !== expected.status) return ignored(`${type}: the run's status is "${run.status}"`);
  const { item, pull } = pullOfRun(run);
  return event(arrival, {
    name: expected.name,
    repository: run.repository,
    sender: run.trigger_user,
    object: `run:${run.id}`,
    // A re-run keeps the id of the run.
    discriminators: [run.stopped || run.updated],
    about: {
      item,
      pull,
      ci: { status: run.status, workflow: run.workflow_id, headSha: run.commit_sha, htmlUrl: run.html_url },
      occurredAt: run.stopped || run.updated,
    },
  });
});

export const parseWorkflowRun = reading(workflowRunPayload, (payload: WorkflowRunPayload, arrival) => {
  const { workflow_run: run, repository, sender } = payload;
  if (payload.action !== 'completed')
    return ignored(`workflow_run: the action "${payload.action}" is no result`);
  const name = resultName(run.conclusion);
  if (name === null) return ignored(`workflow_run: the run's conclusion is "${run.conclusion}"`);
  const file = run.path.split('@')[0]!.split('/').at(-1)!;
  return event(arrival, {
    name,
    repository,
    sender,
    object: `run:${run.id}`,
    discriminators: [run.run_attempt ?? 1, run.completed_at],
    about: {
      ...itemAndPull(payload.pull_request ?? null, repository),
      ci: {
        status: run.conclusion,
        workflow: payload.workflow?.name || file || run.display_title,
        headSha: run.head_sha,
        htmlUrl: run.html_url,
      },
      occurredAt: run.completed_at,
    },
  });
});

/** A commit status, from Gitea's own runner or from any CI that reports to it. */
export const parseStatus = reading(
  statusPayload,
  (payload: StatusPayload, arrival: Arrival): ParseOutcome => {
    // guard: feedback: our status is no CI, part 2
    if (isWorkContext(payload.context)) return ignored('status: it says what an agent of ours is doing');
    // guard: a cancelled run is no failure
    // guard: ci: cancelled
    if (isCancellation(payload)) return ignored('status: the run was cancelled, which Gitea calls a failure');
    const name = resultName(payload.state);
    if (name === null) return ignored(`status: the state "${payload.state}" is no result`);
    return event(arrival, {
      name,
      repository: payload.repository,
      sender: payload.sender,
      object: `status:${payload.id}`,
      discriminators: [payload.sha, payload.context, payload.state],
      about: {
        ci: {
          status: payload.state,
          workflow: payload.context,
          headSha: payload.sha,
          htmlUrl: payload.target_url,
        },
        occurredAt: payload.updated_at,
      },
    });
  },
);

function resultName(word: string): 'ci.succeeded' | 'ci.failed' | null {
  if (word === 'success') return 'ci.succeeded';
  return word === 'failure' || word === 'error' ? 'ci.failed' : null;
}

type ItemAndPull = { item: EventItem | null; pull: EventPull | null };

function itemAndPull(pull: PullRequestObject | null, repository: RepositoryObject): ItemAndPull {
  if (pull === null) return { item: null, pull: null };
  return { item: toPullItem(pull), pull: toPull(pull, repository) };
}

/** The pull request inside the triggering webhook's body: as it was when the run began. */
function pullOfRun(run: ActionRunPayload['run']): ItemAndPull {
  const trigger = triggerPull(run.event_payload);
  const whole = pullRequest.safeParse(trigger);
  if (whole.success) return itemAndPull(whole.data, run.repository);
  const number = triggerNumber(trigger) ?? Number(/^#(\d{1,15})$/.exec(run.prettyref)?.[1] ?? 0);
  return { item: number > 0 ? bareItem(number) : null, pull: null };
}

function triggerPull(eventPayload: string): unknown {
  try {
    const payload: unknown = JSON.parse(eventPayload);
    return typeof payload === 'object' && payload !== null && 'pull_request' in payload
      ? payload.pull_request
      : null;
  } catch {
    // Scheduled and dispatched runs have no JSON here.
    return null;
  }
}

function triggerNumber(pull: unknown): number | null {
  const number = typeof pull === 'object' && pull !== null && 'number' in pull ? pull.number : null;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : null;
}

function bareItem(number: number): EventItem {
  return {
    kind: 'pull',
    number,
    title: '',
    body: '',
    state: 'open',
    htmlUrl: '',
    author: { id: -1, login: 'ghost' },
    labels: [],
    assignees: [],
  };
}
