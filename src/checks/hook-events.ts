/** Which subscriptions of a hook the flows need. Pure; names and gates as Forgejo and Gitea have them. */
import type { Flow, ForgeConfig } from '../config/config.ts';
import type { EventName, ForgeKind } from '../vocabulary.ts';

const ISSUE_COMMENTS = ['issue_comment', 'pull_request_comment'];

const FINE_NAMES: Readonly<Record<EventName, readonly string[]>> = {
  'issue.opened': ['issues'],
  'issue.edited': ['issues'],
  'issue.closed': ['issues'],
  'issue.reopened': ['issues'],
  'issue.assigned': ['issue_assign'],
  'issue.unassigned': ['issue_assign'],
  'issue.labeled': ['issue_label'],
  'comment.created': ISSUE_COMMENTS,
  'comment.edited': ISSUE_COMMENTS,
  'comment.deleted': ISSUE_COMMENTS,
  'pull.opened': ['pull_request'],
  'pull.edited': ['pull_request'],
  'pull.closed': ['pull_request'],
  'pull.merged': ['pull_request'],
  'pull.reopened': ['pull_request'],
  'pull.assigned': ['pull_request_assign'],
  'pull.unassigned': ['pull_request_assign'],
  'pull.labeled': ['pull_request_label'],
  'pull.synchronized': ['pull_request_sync'],
  'pull.review_requested': ['pull_request_review_request'],
  'pull.review_request_removed': ['pull_request_review_request'],
  'review.submitted': ['pull_request_review'],
  push: ['push'],
  'ci.succeeded': ['action_run_success'],
  'ci.failed': ['action_run_failure'],
};

export interface MissingEvent {
  subscription: string;
  flows: string[];
}

/** Of the flows that can act on this forge, those whose event this hook will not send. */
export function missingEvents(
  hook: { events: readonly string[] },
  forge: Pick<ForgeConfig, 'kind' | 'accounts'>,
  flows: readonly Flow[],
): MissingEvent[] {
  const needed = new Map<string, Set<string>>();
  for (const flow of flowsThatAct(forge, flows)) {
    for (const name of flow.on.flatMap((event) => subscriptionsOf(event, forge.kind))) {
      needed.set(name, (needed.get(name) ?? new Set()).add(flow.name));
    }
  }
  const sent = new Set(hook.events);
  return [...needed]
    .filter(([name]) => !isSent(name, sent, forge.kind))
    .map(([subscription, names]) => ({ subscription, flows: [...names] }));
}

/**
 * Flows that wait for CI, where the hook tells only of whole runs: Gitea sends no workflow_run for a workflow whose file is
 * not on the default branch (seen with 1.26), and tells its jobs as `status`. Forgejo tells every run, and no status.
 */
export function missingRuns(
  hook: { events: readonly string[] },
  forge: Pick<ForgeConfig, 'kind' | 'accounts'>,
  flows: readonly Flow[],
): string[] {
  const isWhole = hook.events.includes('workflow_run') && !hook.events.includes('status');
  // guard: doctor: hooks without statuses
  if (forge.kind !== 'gitea' || !isWhole) return [];
  return flowsThatAct(forge, flows)
    .filter(({ on }) => on.some((event) => event.startsWith('ci.')))
    .map(({ name }) => name);
}

function flowsThatAct(forge: Pick<ForgeConfig, 'accounts'>, flows: readonly Flow[]): Flow[] {
  return flows.filter(({ enabled, agent }) => enabled && Object.hasOwn(forge.accounts, agent));
}

/** Gitea has no action_run_*: its CI arrives as workflow_run, and statuses of other systems as status. */
function subscriptionsOf(event: EventName, kind: ForgeKind): readonly string[] {
  if (kind === 'gitea' && event.startsWith('ci.')) return ['workflow_run'];
  return FINE_NAMES[event];
}

/** Listings name the fine events, whatever group the hook was made with. */
function isSent(name: string, sent: ReadonlySet<string>, kind: ForgeKind): boolean {
  if (name === 'workflow_run') return sent.has('workflow_run') || sent.has('status');
  if (name !== 'pull_request_review') return sent.has(name);
  const verdicts = ['pull_request_review_approved', 'pull_request_review_rejected'];
  const reviews = sent.has('pull_request_review') || verdicts.every((n) => sent.has(n));
  // Forgejo sends a review that only comments under the subscription to comments, whatever the review one says.
  return reviews && (kind === 'gitea' || sent.has('pull_request_comment'));
}
