/** The JSON shapes of accounts, repositories, issues, labels and comments, shared by the API and the webhooks. */
import { fullName, may, userById } from './pocket-forge-access.ts';
import { emailOf, type PocketContext } from './pocket-forge-context.ts';
import type {
  StoredComment,
  StoredHook,
  StoredItem,
  StoredLabel,
  StoredReaction,
  StoredRepository,
  StoredUser,
} from './pocket-forge-state.ts';

/** Forgejo's way to say that a time is not set. */
const NEVER = '0001-01-01T00:00:00Z';

export function userShape(context: PocketContext, user: StoredUser) {
  return {
    id: user.id,
    login: user.login,
    login_name: '',
    source_id: 0,
    full_name: user.fullName,
    email: emailOf(user),
    avatar_url: `${context.url}/avatars/${user.id}`,
    html_url: `${context.url}/${user.login}`,
    language: '',
    // In webhooks and in other people's eyes the private fields are always zero, whatever the account is.
    is_admin: false,
    last_login: NEVER,
    created: user.created,
    restricted: false,
    active: false,
    prohibit_login: false,
    location: '',
    pronouns: '',
    website: '',
    description: '',
    visibility: 'public',
    followers_count: 0,
    following_count: 0,
    starred_repos_count: 0,
    username: user.login,
  };
}

export function ownUserShape(context: PocketContext, user: StoredUser) {
  return { ...userShape(context, user), is_admin: user.admin, active: true, language: 'en-US' };
}

/** Whose permissions `repository.permissions` shows: an account's, the owner's (all true), or left out. */
export type PermissionView = StoredUser | 'owner' | 'omitted';

function permissionsShape(repository: StoredRepository, view: PermissionView) {
  if (view === 'omitted') return {};
  const allowed = (need: 'admin' | 'write' | 'read') => view === 'owner' || may(repository, view, need);
  return { permissions: { admin: allowed('admin'), push: allowed('write'), pull: allowed('read') } };
}

export function repositoryShape(context: PocketContext, repository: StoredRepository, view: PermissionView) {
  const name = fullName(context.state, repository);
  const html = `${context.url}/${name}`;
  const host = new URL(context.url).hostname;
  const items = context.state.items.filter((i) => i.repository === repository.id && i.state === 'open');
  return {
    id: repository.id,
    owner: userShape(context, userById(context.state, repository.owner)),
    name: repository.name,
    full_name: name,
    description: '',
    empty: false,
    private: repository.private,
    fork: false,
    template: false,
    parent: null,
    mirror: false,
    size: 0,
    language: '',
    html_url: html,
    url: `${context.url}/api/v1/repos/${name}`,
    ssh_url: `git@${host}:${name}.git`,
    clone_url: `${html}.git`,
    original_url: '',
    website: '',
    stars_count: 0,
    forks_count: 0,
    watchers_count: 0,
    open_issues_count: items.filter((i) => i.pull === null).length,
    open_pr_counter: items.filter((i) => i.pull !== null).length,
    release_counter: 0,
    default_branch: repository.defaultBranch,
    archived: false,
    created_at: repository.created,
    updated_at: repository.updated,
    archived_at: '1970-01-01T00:00:00Z',
    ...permissionsShape(repository, view),
    has_issues: true,
    has_wiki: false,
    has_pull_requests: true,
    has_projects: false,
    has_releases: false,
    has_packages: false,
    has_actions: true,
    ignore_whitespace_conflicts: false,
    allow_merge_commits: true,
    allow_rebase: true,
    allow_rebase_explicit: false,
    allow_squash_merge: true,
    allow_fast_forward_only_merge: true,
    default_delete_branch_after_merge: false,
    default_merge_style: 'merge',
    avatar_url: '',
    internal: false,
    mirror_interval: '',
    object_format_name: 'sha1',
    mirror_updated: NEVER,
    repo_transfer: null,
    topics: [],
  };
}

export function labelShape(context: PocketContext, repository: StoredRepository, label: StoredLabel) {
  return {
    id: label.id,
    name: label.name,
    exclusive: false,
    is_archived: false,
    color: label.color,
    description: label.description,
    url: `${context.url}/api/v1/repos/${fullName(context.state, repository)}/labels/${label.id}`,
  };
}

export function itemLabels(context: PocketContext, repository: StoredRepository, item: StoredItem) {
  return repository.labels
    .filter((l) => item.labels.includes(l.id))
    .map((l) => labelShape(context, repository, l));
}

/** `null` instead of an empty list, as the forge sends it. */
export function itemAssignees(context: PocketContext, item: StoredItem) {
  const users = item.assignees.map((id) => userShape(context, userById(context.state, id)));
  return { assignee: users[0] ?? null, assignees: users.length === 0 ? null : users };
}

export function isDraft(title: string): boolean {
  return /^(WIP:|\[WIP\])/i.test(title);
}

export function itemHtmlUrl(context: PocketContext, repository: StoredRepository, item: StoredItem): string {
  const kind = item.pull === null ? 'issues' : 'pulls';
  return `${context.url}/${fullName(context.state, repository)}/${kind}/${item.number}`;
}

export function commentCount(context: PocketContext, item: StoredItem): number {
  return context.state.comments.filter((c) => c.item === item.id).length;
}

export function issueShape(context: PocketContext, repository: StoredRepository, item: StoredItem) {
  const owner = userById(context.state, repository.owner);
  const name = fullName(context.state, repository);
  return {
    id: item.id,
    url: `${context.url}/api/v1/repos/${name}/issues/${item.number}`,
    html_url: itemHtmlUrl(context, repository, item),
    number: item.number,
    user: userShape(context, userById(context.state, item.author)),
    original_author: '',
    original_author_id: 0,
    title: item.title,
    body: item.body,
    ref: '',
    assets: [],
    labels: itemLabels(context, repository, item),
    milestone: null,
    ...itemAssignees(context, item),
    state: item.state,
    is_locked: false,
    comments: commentCount(context, item),
    created_at: item.created,
    updated_at: item.updated,
    closed_at: item.closed,
    due_date: null,
    pull_request:
      item.pull === null
        ? null
        : {
            merged: item.pull.merged !== null,
            merged_at: item.pull.merged?.at ?? null,
            draft: isDraft(item.title),
            html_url: itemHtmlUrl(context, repository, item),
          },
    repository: { id: repository.id, name: repository.name, owner: owner.login, full_name: name },
    pin_order: 0,
  };
}

export function commentShape(
  context: PocketContext,
  o: { repository: StoredRepository; item: StoredItem; comment: StoredComment },
) {
  const html = itemHtmlUrl(context, o.repository, o.item);
  return {
    id: o.comment.id,
    html_url: `${html}#issuecomment-${o.comment.id}`,
    pull_request_url: o.item.pull === null ? '' : html,
    issue_url: o.item.pull === null ? html : '',
    user: userShape(context, userById(context.state, o.comment.author)),
    original_author: '',
    original_author_id: 0,
    body: o.comment.body,
    assets: [],
    created_at: o.comment.created,
    updated_at: o.comment.updated,
  };
}

export function reactionShape(context: PocketContext, reaction: StoredReaction) {
  return {
    user: userShape(context, userById(context.state, reaction.user)),
    content: reaction.content,
    created_at: reaction.created,
  };
}

/** The secret is never shown. */
export function hookShape(hook: StoredHook) {
  return {
    id: hook.id,
    type: hook.type,
    branch_filter: '',
    url: hook.url,
    config: { content_type: 'json', url: hook.url },
    events: hook.events,
    authorization_header: hook.authorizationHeader,
    content_type: 'json',
    metadata: null,
    active: hook.active,
    created_at: hook.created,
    updated_at: hook.created,
  };
}
