/** Acting as one account without HTTP. Every act sends the webhooks and makes the refusals the REST API would. */
import { randomUUID } from 'node:crypto';
import {
  findItem,
  findPull,
  findRepository,
  findUser,
  isPull,
  requirePermission,
} from './pocket-forge-access.ts';
import { addAttachment, storeAttachment } from './pocket-forge-attachments.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { addHook } from './pocket-forge-hook-admin.ts';
import type { HookDelivery } from './pocket-forge-hooks.ts';
import {
  changeLabels,
  createComment,
  createIssue,
  deleteComment,
  editComment,
  editItem,
  ensureLabel,
  findComment,
  type ItemEdit,
} from './pocket-forge-issues.ts';
import { mergeScheduled, protect, requireRules } from './pocket-forge-protection.ts';
import {
  editPull,
  mergePull,
  openPull,
  requestReview,
  requireMergeable,
  withdrawReviewRequest,
} from './pocket-forge-pulls.ts';
import { renameRepository } from './pocket-forge-renames.ts';
import type { MergeStyle } from './pocket-forge-repositories.ts';
import { createReview, editInline, type ReviewEvent, replyInline } from './pocket-forge-reviews.ts';
import { createStatus, type NewRun, recordRun } from './pocket-forge-runs.ts';
import type {
  CollaboratorPermission,
  StatusState,
  StoredComment,
  StoredProtection,
} from './pocket-forge-state.ts';

/** Every event a hook may want, but for `create` and `delete`. */
const DEFAULT_HOOK_EVENTS = [
  'issues',
  'issue_assign',
  'issue_label',
  'issue_comment',
  'pull_request',
  'pull_request_assign',
  'pull_request_label',
  'pull_request_comment',
  'pull_request_review',
  'pull_request_review_request',
  'pull_request_sync',
  'push',
  'action_run_failure',
  'action_run_success',
  'status',
  'workflow_run',
] as const;

interface UserIssue {
  title: string;
  body: string;
  /** logins */
  assignees?: string[];
  /** names; missing ones are made, where the account may */
  labels?: string[];
}

interface UserReview {
  event: ReviewEvent;
  body: string;
  /** positions are line numbers of the file on the new or the old side */
  comments?: { path: string; body: string; new_position?: number; old_position?: number }[];
  commit_id?: string;
}

interface UserHook {
  url: string;
  secret: string;
  /** names or groups; left out: everything but create and delete */
  events?: readonly string[];
  type?: 'forgejo' | 'gitea';
}

/** `repo` is `owner/name`. Refusals are thrown as ForgeRefused (with the REST status) and ForgeMissing. */
export interface PocketUser {
  readonly login: string;
  createIssue(repo: string, issue: UserIssue): Promise<{ number: number }>;
  editIssue(repo: string, number: number, edit: { title?: string; body?: string }): Promise<void>;
  /** also on pull requests */
  comment(repo: string, number: number, body: string): Promise<{ id: number }>;
  /** as the page does it: the file is there before the comment, which ends with it */
  commentWith(
    repo: string,
    number: number,
    words: string,
    file: { name: string; bytes: Uint8Array },
  ): Promise<{ id: number }>;
  editComment(repo: string, id: number, body: string): Promise<void>;
  /** to an issue or pull request, or to a comment; the answer is its address, for Markdown */
  attach(
    repo: string,
    place: { number: number } | { commentId: number },
    file: { name: string; bytes: Uint8Array },
  ): Promise<string>;
  deleteComment(repo: string, id: number): Promise<void>;
  /** replaces the whole list */
  assign(repo: string, number: number, logins: string[]): Promise<void>;
  /** adds; missing labels are made */
  label(repo: string, number: number, names: string[]): Promise<void>;
  unlabel(repo: string, number: number, names: string[]): Promise<void>;
  /** replaces the whole set (PUT); none at all clears it (DELETE) when `clear` is set */
  setLabels(repo: string, number: number, names: string[], o?: { clear: true }): Promise<void>;
  close(repo: string, number: number): Promise<void>;
  reopen(repo: string, number: number): Promise<void>;
  /** `head` must have been pushed */
  openPull(repo: string, pull: UserIssue & { head: string; base: string }): Promise<{ number: number }>;
  review(repo: string, number: number, review: UserReview): Promise<{ id: number }>;
  /** on the web page, to an inline comment by its id */
  reply(repo: string, number: number, to: number, body: string): Promise<{ id: number }>;
  editInline(repo: string, number: number, id: number, body: string): Promise<void>;
  requestReview(repo: string, number: number, logins: string[]): Promise<void>;
  withdrawReviewRequest(repo: string, number: number, logins: string[]): Promise<void>;
  /** onto another base branch */
  retarget(repo: string, number: number, base: string): Promise<void>;
  merge(repo: string, number: number, o: { style: MergeStyle; deleteBranch?: boolean }): Promise<void>;
  /** sends a webhook on Gitea alone */
  setStatus(
    repo: string,
    sha: string,
    status: { state: StatusState; context: string; description?: string },
  ): Promise<void>;
  /** what merging into a branch takes; replaces an earlier rule of the same branch */
  protect(repo: string, rule: StoredProtection): Promise<void>;
  /** null takes the permission away */
  setCollaborator(repo: string, login: string, permission: CollaboratorPermission | null): Promise<void>;
  addHook(repo: string, hook: UserHook): Promise<{ id: number }>;
  /** sends no webhook; the old name leads to the new one */
  renameRepository(repo: string, name: string): Promise<void>;
  /** a replay: new id, same bytes; needs admin permission on the hook's repository */
  redeliver(deliveryId: string): Promise<HookDelivery>;
  /** records a finished (or running) Actions run and its commit status */
  actionRun(repo: string, run: NewRun): Promise<{ id: number }>;
}

export function actAs(context: PocketContext, login: string): PocketUser {
  return {
    login: findUser(context.state, login).login,
    ...issueActs(context, login),
    ...commentActs(context, login),
    ...pullActs(context, login),
    ...adminActs(context, login),
  };
}

function issueActs(context: PocketContext, login: string) {
  const actor = findUser(context.state, login);
  const at = (repo: string) => findRepository(context.state, repo);
  const edit = (repo: string, number: number, change: ItemEdit) =>
    context.change(async () => {
      const item = findItem(context.state, at(repo), number);
      const call = { actor, edit: change };
      await (isPull(item) ? editPull(context, { ...call, item }) : editItem(context, { ...call, item }));
    });
  return {
    createIssue: (repo: string, issue: UserIssue) =>
      context.change(() => {
        const repository = at(repo);
        const input = { ...issue, assignees: issue.assignees ?? [], labels: labelIds(context, repo, issue) };
        return { number: createIssue(context, { repository, actor, input }).number };
      }),
    editIssue: edit,
    assign: (repo: string, number: number, assignees: string[]) => edit(repo, number, { assignees }),
    close: (repo: string, number: number) => edit(repo, number, { state: 'closed' }),
    reopen: (repo: string, number: number) => edit(repo, number, { state: 'open' }),
    label: (repo: string, number: number, names: string[]) =>
      context.change(() => {
        const item = findItem(context.state, at(repo), number);
        requirePermission(at(repo), actor, 'write');
        const labels = [...item.labels, ...labelIds(context, repo, { labels: names })];
        changeLabels(context, { item, actor, labels, how: 'change' });
      }),
    setLabels: (repo: string, number: number, names: string[], o?: { clear: true }) =>
      context.change(() => {
        const item = findItem(context.state, at(repo), number);
        const labels = labelIds(context, repo, { labels: names });
        changeLabels(context, { item, actor, labels, how: o?.clear ? 'clear' : 'replace' });
      }),
    unlabel: (repo: string, number: number, names: string[]) =>
      context.change(() => {
        const item = findItem(context.state, at(repo), number);
        const gone = at(repo).labels.filter((l) => names.includes(l.name));
        const labels = item.labels.filter((id) => !gone.some((l) => l.id === id));
        changeLabels(context, { item, actor, labels, how: 'change' });
      }),
  };
}

function labelIds(context: PocketContext, repo: string, o: { labels?: string[] }): number[] {
  const repository = findRepository(context.state, repo);
  return (o.labels ?? []).map((name) => ensureLabel(context, { repository, name }).id);
}

function commentActs(context: PocketContext, login: string) {
  const actor = findUser(context.state, login);
  const at = (repo: string, id: number): StoredComment => {
    const comment = findComment(context, findRepository(context.state, repo), id);
    if (comment !== 'review') return comment;
    throw new Error(`Comment ${id} is an inline review comment. Those cannot be changed here.`);
  };
  return {
    comment: (repo: string, number: number, body: string) =>
      context.change(() => {
        const item = findItem(context.state, findRepository(context.state, repo), number);
        return { id: createComment(context, { item, actor, body }).id };
      }),
    commentWith: (repo: string, number: number, words: string, file: { name: string; bytes: Uint8Array }) =>
      context.change(() => {
        const repository = findRepository(context.state, repo);
        const item = findItem(context.state, repository, number);
        const uuid = randomUUID();
        const body = `${words}\n\n![${file.name}](/attachments/${uuid})`;
        const { id } = createComment(context, { item, actor, body });
        storeAttachment(context, { repository, place: { comment: id }, ...file, uploader: actor.id, uuid });
        return { id };
      }),
    editComment: (repo: string, id: number, body: string) =>
      context.change(() => editComment(context, { comment: at(repo, id), actor, body })),
    attach: (
      repo: string,
      place: { number: number } | { commentId: number },
      file: { name: string; bytes: Uint8Array },
    ) =>
      context.change(() => {
        const repository = findRepository(context.state, repo);
        const stored =
          'number' in place
            ? { item: findItem(context.state, repository, place.number).id }
            : { comment: at(repo, place.commentId).id };
        const { uuid } = addAttachment(context, { repository, place: stored, ...file, uploader: actor.id });
        return `/attachments/${uuid}`;
      }),
    deleteComment: (repo: string, id: number) =>
      context.change(() => deleteComment(context, { comment: at(repo, id), actor })),
  };
}

function pullActs(context: PocketContext, login: string) {
  const actor = findUser(context.state, login);
  const at = (repo: string, number: number) =>
    findPull(context.state, findRepository(context.state, repo), number);
  return {
    openPull: (repo: string, pull: UserIssue & { head: string; base: string }) =>
      context.change(async () => {
        const repository = findRepository(context.state, repo);
        const input = { ...pull, assignees: pull.assignees ?? [], labels: labelIds(context, repo, pull) };
        return { number: (await openPull(context, { repository, actor, input })).number };
      }),
    review: (repo: string, number: number, review: UserReview) =>
      context.change(async () => {
        const comments = (review.comments ?? []).map((comment) => ({
          path: comment.path,
          body: comment.body,
          newPosition: comment.new_position ?? 0,
          oldPosition: comment.old_position ?? 0,
        }));
        const input = { event: review.event, body: review.body, commit: review.commit_id ?? '', comments };
        const { id, state } = await createReview(context, { item: at(repo, number), actor, input });
        if (state === 'APPROVED') await mergeScheduled(context, findRepository(context.state, repo));
        return { id };
      }),
    reply: (repo: string, number: number, to: number, body: string) =>
      context.change(() => ({ id: replyInline(context, { item: at(repo, number), actor, to, body }).id })),
    editInline: (repo: string, number: number, id: number, body: string) =>
      context.change(() => editInline(context, { item: at(repo, number), actor, id, body })),
    requestReview: (repo: string, number: number, logins: string[]) =>
      context.change(() => requestReview(context, { item: at(repo, number), actor, logins })),
    withdrawReviewRequest: (repo: string, number: number, logins: string[]) =>
      context.change(() => withdrawReviewRequest(context, { item: at(repo, number), actor, logins })),
    retarget: (repo: string, number: number, base: string) =>
      context.change(() => editPull(context, { item: at(repo, number), actor, edit: { base } })),
    merge: (repo: string, number: number, o: { style: MergeStyle; deleteBranch?: boolean }) =>
      context.change(async () => {
        const item = at(repo, number);
        requireMergeable({ item, actor, ...o });
        requireRules(context, item);
        await mergePull(context, { item, actor, ...o });
      }),
  };
}

function adminActs(context: PocketContext, login: string) {
  const actor = findUser(context.state, login);
  const at = (repo: string) => findRepository(context.state, repo);
  return {
    setStatus: (
      repo: string,
      sha: string,
      status: { state: StatusState; context: string; description?: string },
    ) =>
      context.change(async () => {
        const input = { description: '', ...status, targetUrl: '' };
        await createStatus(context, { repository: at(repo), actor, sha, input });
        if (input.state === 'success') await mergeScheduled(context, at(repo));
      }),
    protect: (repo: string, rule: StoredProtection) =>
      context.change(() => protect(at(repo), { actor, rule })),
    setCollaborator: (repo: string, name: string, permission: CollaboratorPermission | null) =>
      context.change(() => {
        const repository = at(repo);
        requirePermission(repository, actor, 'admin');
        const user = findUser(context.state, name).id;
        const others = repository.collaborators.filter((c) => c.user !== user);
        repository.collaborators = permission === null ? others : [...others, { user, permission }];
      }),
    addHook: (repo: string, hook: UserHook) =>
      context.change(() => {
        const { type = context.kind, events = DEFAULT_HOOK_EVENTS, url, secret } = hook;
        const input = { type, url, secret, events, active: true, authorizationHeader: '' };
        return { id: addHook(context, { repository: at(repo), actor, input }).id };
      }),
    renameRepository: (repo: string, name: string) =>
      context.change(() => renameRepository(context, { repository: at(repo), actor, name })),
    redeliver: (deliveryId: string) =>
      context.change(() => {
        const old = context.hooks.deliveries.find((d) => d.id === deliveryId);
        const repository = context.state.repositories.find((r) => r.id === old?.repository);
        if (repository !== undefined) requirePermission(repository, actor, 'admin');
        return context.hooks.redeliver(deliveryId);
      }),
    actionRun: (repo: string, input: NewRun) =>
      context.change(async () => {
        const run = await recordRun(context, { repository: at(repo), actor, input });
        if (run.status === 'success') await mergeScheduled(context, at(repo));
        return { id: run.id };
      }),
  };
}
