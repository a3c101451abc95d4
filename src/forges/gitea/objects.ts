/** Forgejo's and Gitea's objects in our words; webhook bodies and API answers share them. */
import type { EventItem, EventPull, EventRepository, ForgeUser } from '../../vocabulary.ts';
import type { IssueObject, PullRequestObject, RepositoryObject } from './payloads.ts';

export function toUser(user: ForgeUser): ForgeUser {
  return { id: user.id, login: user.login };
}

export function toRepository(repository: RepositoryObject): EventRepository {
  return {
    id: String(repository.id),
    fullName: repository.full_name,
    defaultBranch: repository.default_branch,
    cloneUrl: repository.clone_url,
    htmlUrl: repository.html_url,
    private: repository.private,
  };
}

export function toIssueItem(issue: IssueObject): EventItem {
  return { kind: 'issue', ...itemFields(issue) };
}

export function toPullItem(pull: PullRequestObject | IssueObject): EventItem {
  return { kind: 'pull', ...itemFields(pull) };
}

function itemFields(object: IssueObject | PullRequestObject): Omit<EventItem, 'kind'> {
  const assignees = object.assignees.length === 0 && object.assignee ? [object.assignee] : object.assignees;
  return {
    number: object.number,
    title: object.title,
    body: object.body,
    state: object.state === 'closed' ? 'closed' : 'open',
    htmlUrl: object.html_url,
    author: toUser(object.user),
    labels: object.labels.map((label) => label.name),
    assignees: assignees.map((assignee) => assignee.login),
  };
}

/** `repository` is the one the pull request was opened in: its base. */
export function toPull(pull: PullRequestObject, repository: { id: number; full_name: string }): EventPull {
  const headId = pull.head.repo?.id ?? pull.head.repo_id ?? null;
  const sameRepository = headId === repository.id;
  return {
    headSha: pull.head.sha,
    headRef: pull.head.ref,
    headRepository: pull.head.repo?.full_name ?? (sameRepository ? repository.full_name : null),
    baseRef: pull.base.ref,
    baseSha: pull.base.sha,
    merged: pull.merged,
    draft: pull.draft ?? /^\s*(?:\[wip\]|wip:)/i.test(pull.title),
    fork: !sameRepository || isAgit(pull),
    requestedReviewers: pull.requested_reviewers.map((reviewer) => reviewer.login),
  };
}

/**
 * The head of an AGit pull request is not a branch, although its repository is the base. Gitea has no field `flow`. After
 * its branch was deleted a pull request has the same `refs/pull/N/head`, but is closed and has the branch's name in `label`.
 */
function isAgit(pull: PullRequestObject): boolean {
  if (typeof pull.flow === 'number') return pull.flow === 1;
  return pull.head.ref.startsWith('refs/pull/') && (pull.state !== 'closed' || pull.head.label === '');
}
