/** Which subscriptions of a hook send what on Forgejo and on Gitea. Pure. */
import type { ForgeEventName } from '../../vocabulary.ts';
import type { HookSubscriptions, PartialSubscription } from '../kit.ts';
import type { FamilyMember } from './member.ts';

const ISSUE_COMMENTS = ['issue_comment', 'pull_request_comment'];

const FINE_NAMES: Readonly<Record<ForgeEventName, readonly string[]>> = {
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

export function subscriptionsFor(kind: FamilyMember): HookSubscriptions {
  return {
    lacking: (event, sent) => subscriptionsOf(event, kind).filter((name) => !isSent(name, sent, kind)),
    partial: (event, sent) => withoutStatuses(event, sent, kind),
    // Before Forgejo 15 a hook without push is not sent the test, which looks like silence.
    takesTest: (sent) => sent.has('push'),
    everything: everythingOf(kind),
    choices: 'type Forgejo or Gitea, POST, application/json',
    allowAddress: (reach) =>
      `Let the forge’s administrator add ${reach} (or the host) to ALLOWED_HOST_LIST in [webhook] of its app.ini, as \`ALLOWED_HOST_LIST = external,${reach}\`.`,
  };
}

function everythingOf(kind: FamilyMember): readonly string[] {
  const own = kind === 'gitea' ? ['status', 'workflow_run'] : ['action_run_failure', 'action_run_success'];
  return ['issues', 'pull_request', 'push', ...own];
}

/** Gitea has no action_run_*: its CI arrives as workflow_run, and statuses of other systems as status. */
function subscriptionsOf(event: ForgeEventName, kind: FamilyMember): readonly string[] {
  if (kind === 'gitea' && event.startsWith('ci.')) return ['workflow_run'];
  return FINE_NAMES[event];
}

/** Listings name the fine events, whatever group the hook was made with. */
function isSent(name: string, sent: ReadonlySet<string>, kind: FamilyMember): boolean {
  if (name === 'workflow_run') return sent.has('workflow_run') || sent.has('status');
  if (name !== 'pull_request_review') return sent.has(name);
  const verdicts = ['pull_request_review_approved', 'pull_request_review_rejected'];
  const reviews = sent.has('pull_request_review') || verdicts.every((n) => sent.has(n));
  // Forgejo sends a review that only comments under the subscription to comments, whatever the review one says.
  return reviews && (kind === 'gitea' || sent.has('pull_request_comment'));
}

/**
 * A hook that tells only of whole runs: Gitea sends no workflow_run for a workflow whose file is not on the default branch
 * (seen with 1.26), and tells its jobs as `status`. Forgejo tells every run, and no status.
 */
function withoutStatuses(
  event: ForgeEventName,
  sent: ReadonlySet<string>,
  kind: FamilyMember,
): PartialSubscription | null {
  const isWhole = sent.has('workflow_run') && !sent.has('status');
  // guard: doctor: hooks without statuses
  if (kind !== 'gitea' || !isWhole || !event.startsWith('ci.')) return null;
  return {
    problem:
      'the hook does not send commit statuses, and Gitea tells CI of a workflow that is not on the default branch by those alone',
    evidence: 'workflow_run without status',
    remedy: 'Tick “Status” among the events of the hook, the one about commits (`status` in the API).',
  };
}
