/** Opening, reopening, requesting review of, and merging pull requests. Heads are branches of the same repository. */
import { ForgeRefused } from '../src/errors.ts';
import {
  findUser,
  fullName,
  isPull,
  may,
  openPulls,
  type PullItem,
  repositoryById,
  requirePermission,
} from './pocket-forge-access.ts';
import { folderOf, identityOf, type PocketContext } from './pocket-forge-context.ts';
import { sendItemEvent } from './pocket-forge-events.ts';
import {
  assign,
  assignableUsers,
  bearLabels,
  editItem,
  type ItemEdit,
  type NewItem,
  storeItem,
} from './pocket-forge-issues.ts';
import { askedReviewers, listedReviewers } from './pocket-forge-pull-shapes.ts';
import { publishRefMoves, refreshPull } from './pocket-forge-pushes.ts';
import { actOnCommit, actOnMerge } from './pocket-forge-references.ts';
import {
  listCommits,
  listRefs,
  type MergeStyle,
  type MergeWork,
  mergeCommit,
  resolveCommit,
} from './pocket-forge-repositories.ts';
import { isDraft } from './pocket-forge-shapes.ts';
import {
  nextId,
  now,
  type StoredPull,
  type StoredRepository,
  type StoredUser,
} from './pocket-forge-state.ts';
import { recordEntry } from './pocket-forge-timeline.ts';

interface NewPull extends NewItem {
  /** branch name, or `owner:branch` with this repository's owner */
  head: string;
  base: string;
}

interface PullRequestCall {
  repository: StoredRepository;
  actor: StoredUser;
  input: NewPull;
}

/** 409 when the same head and base are open already; 422 for bad refs and when there is nothing to merge. */
export async function openPull(context: PocketContext, o: PullRequestCall): Promise<PullItem> {
  requirePermission(o.repository, o.actor, 'read');
  const pull = await preparePull(context, o);
  const writer = may(o.repository, o.actor, 'write');
  const assignees = writer ? assignableUsers(context, o.repository, o.input.assignees) : [];
  const item = Object.assign(storeItem(context, o), { pull });
  await refreshPull(context, o.repository, item);
  const labels = writer ? bearLabels(context, { ...o, item }) : [];
  sendItemEvent(context, { item, action: 'opened', sender: o.actor });
  if (labels.length > 0) sendItemEvent(context, { item, action: 'label_updated', sender: o.actor });
  // After `opened`, unlike on issues.
  for (const user of assignees) assign(context, { item, actor: o.actor, user });
  return item;
}

async function preparePull(context: PocketContext, o: PullRequestCall): Promise<StoredPull> {
  const base = o.input.base;
  const head = ownBranch(context, o);
  const folder = folderOf(context, o.repository);
  const [baseSha, headSha] = await Promise.all(
    [base, head].map((branch) => resolveCommit(context.git, folder, `refs/heads/${branch}`)),
  );
  if (!baseSha) throw new ForgeRefused(`There is no base branch ${base}. Name an existing one.`, 422);
  if (!headSha) throw new ForgeRefused(`There is no head branch ${head}. Push it first.`, 422);
  const twin = openPulls(context.state, o.repository).find(
    (i) => i.pull.headRef === head && i.pull.baseRef === base,
  );
  if (twin !== undefined) {
    throw new ForgeRefused(
      `Pull request ${twin.number} is open for ${head} into ${base}. Use that one.`,
      409,
    );
  }
  const ahead = await context.git.run({ folder, args: ['rev-list', '--count', `${baseSha}..${headSha}`] });
  if (Number(ahead) === 0) {
    throw new ForgeRefused(`${head} has no commits that ${base} lacks. Push a commit first.`, 422);
  }
  return {
    id: nextId(context.state, 'pull'),
    headRef: head,
    headSha,
    headGone: false,
    baseRef: base,
    baseSha,
    mergeBase: '',
    additions: 0,
    deletions: 0,
    changedFiles: 0,
    mergeable: true,
    merged: null,
  };
}

function ownBranch(context: PocketContext, o: PullRequestCall): string {
  const [owner, branch] = o.input.head.includes(':') ? o.input.head.split(':', 2) : [null, o.input.head];
  const own = fullName(context.state, o.repository).split('/')[0] ?? '';
  if (owner !== null && owner?.toLowerCase() !== own.toLowerCase()) {
    throw new ForgeRefused(`The pocket forge has no forks. Push the branch to ${own}'s repository.`, 422);
  }
  return branch ?? '';
}

/** An issue edit; a pull request that opens again looks at its branches first. */
export async function editPull(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; edit: ItemEdit & { base?: string | undefined } },
): Promise<void> {
  const { item } = o;
  if (o.edit.base !== undefined && o.edit.base !== item.pull.baseRef) {
    await changeBase(context, { ...o, base: o.edit.base });
  }
  const reopens = o.edit.state === 'open' && item.state === 'closed' && item.pull.merged === null;
  if (reopens && !item.pull.headGone) {
    const repository = repositoryById(context.state, item.repository);
    const folder = folderOf(context, repository);
    const tip = (branch: string) => resolveCommit(context.git, folder, `refs/heads/${branch}`);
    item.pull.headSha = (await tip(item.pull.headRef)) ?? item.pull.headSha;
    item.pull.baseSha = (await tip(item.pull.baseRef)) ?? item.pull.baseSha;
    await refreshPull(context, repository, item);
  }
  editItem(context, o);
}

/** `changes.ref.from` names the new base and not the old one: an error of the forge, as recorded. */
async function changeBase(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; base: string },
): Promise<void> {
  const { item, actor, base } = o;
  const repository = repositoryById(context.state, item.repository);
  requirePermission(repository, actor, item.author === actor.id ? 'read' : 'write');
  const baseSha = await resolveCommit(context.git, folderOf(context, repository), `refs/heads/${base}`);
  if (baseSha === null) throw new ForgeRefused(`There is no base branch ${base}. Name an existing one.`, 404);
  if (item.state === 'closed') throw new ForgeRefused('The pull request is closed. Reopen it first.', 422);
  recordEntry(context, { item, actor, type: 'change_target_branch', from: item.pull.baseRef, to: base });
  Object.assign(item.pull, { baseRef: base, baseSha });
  await refreshPull(context, repository, item);
  item.updated = now();
  sendItemEvent(context, { item, action: 'edited', sender: actor, changes: { ref: { from: base } } });
}

/** The author and writers may ask; asking somebody who is asked already does nothing. */
export function requestReview(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; logins: string[] },
): void {
  const repository = repositoryById(context.state, o.item.repository);
  requirePermission(repository, o.actor, o.item.author === o.actor.id ? 'read' : 'write');
  const reviewers = o.logins.map((login) => findUser(context.state, login));
  // The list is read once for the whole call, so it lacks the second account and all after it.
  let listed: StoredUser[] | undefined;
  for (const reviewer of reviewers) {
    if (reviewer.id === o.item.author) {
      throw new ForgeRefused(`${reviewer.login} wrote this pull request. Ask somebody else.`, 422);
    }
    requirePermission(repository, reviewer, 'read');
    if (askedReviewers(context, o.item).includes(reviewer)) continue;
    const time = now();
    context.state.reviews.push({
      id: nextId(context.state, 'review'),
      item: o.item.id,
      author: reviewer.id,
      state: 'REQUEST_REVIEW',
      body: '',
      commit: '',
      submitted: time,
      comments: [],
    });
    o.item.updated = time;
    recordEntry(context, { item: o.item, actor: o.actor, type: 'review_request', subject: reviewer.id });
    listed ??= listedReviewers(context, o.item);
    const told = { item: o.item, action: 'review_requested', sender: o.actor, reviewer, listed } as const;
    sendItemEvent(context, told);
  }
}

export function withdrawReviewRequest(
  context: PocketContext,
  o: { item: PullItem; actor: StoredUser; logins: string[] },
): void {
  requirePermission(repositoryById(context.state, o.item.repository), o.actor, 'write');
  for (const login of o.logins) {
    const reviewer = findUser(context.state, login);
    if (!askedReviewers(context, o.item).includes(reviewer)) continue;
    context.state.reviews = context.state.reviews.filter(
      (r) => !(r.item === o.item.id && r.author === reviewer.id && r.state === 'REQUEST_REVIEW'),
    );
    o.item.updated = now();
    recordEntry(context, {
      item: o.item,
      actor: o.actor,
      type: 'review_request',
      subject: reviewer.id,
      removed: true,
    });
    sendItemEvent(context, { item: o.item, action: 'review_request_removed', sender: o.actor, reviewer });
  }
}

export interface MergeCall {
  item: PullItem;
  actor: StoredUser;
  style: MergeStyle;
  title?: string | undefined;
  message?: string | undefined;
  /** refuse with 409 unless this is the head */
  headCommit?: string | undefined;
  deleteBranch?: boolean | undefined;
}

/** Sends closed with `merged`, then one closed for each issue named by a closing keyword, then push (base). */
export async function mergePull(context: PocketContext, call: MergeCall): Promise<void> {
  const { item, actor } = call;
  const { pull } = item;
  const repository = repositoryById(context.state, item.repository);
  requirePermission(repository, actor, 'write');
  requireMergeable(call);
  const folder = folderOf(context, repository);
  const base = pull.baseSha;
  const work = mergeWork(context, call);
  const messages = [work.message, ...(await commitMessages(context, repository, item))];
  const commit = await mergeCommit(context.git, call.style, { ...work, folder });
  if (commit === null) {
    throw new ForgeRefused(`git cannot ${call.style} this. Use another style or rebase the branch.`, 409);
  }
  const before = await listRefs(context.git, folder);
  const ref = `refs/heads/${pull.baseRef}`;
  await context.git.run({ folder, args: ['update-ref', ref, commit, base] });
  const time = now();
  Object.assign(item, { state: 'closed', updated: time, closed: time });
  pull.merged = { at: time, by: actor.id, commit };
  pull.baseSha = commit;
  recordEntry(context, { item, actor, type: 'merge_pull' });
  sendItemEvent(context, { item, action: 'closed', sender: actor });
  if (pull.baseRef === repository.defaultBranch) {
    actOnMerge(context, { item, actor, commit });
    for (const text of messages) actOnCommit(context, { repository, actor, text, commit });
  }
  await publishRefMoves(context, {
    repository,
    actor,
    before,
    after: await listRefs(context.git, folder),
    closesIssues: false,
  });
  if (call.deleteBranch === true) await deleteBranch(context, { repository, actor, branch: pull.headRef });
}

/** Throws ForgeRefused 405 or 409. */
export function requireMergeable(call: MergeCall): void {
  const { item, headCommit } = call;
  if (item.state === 'closed')
    throw new ForgeRefused('The pull request is not open. Nothing is left to do.', 405);
  if (isDraft(item.title)) throw new ForgeRefused('It is work in progress. Take WIP: off the title.', 405);
  if (headCommit !== undefined && headCommit !== '' && headCommit !== item.pull.headSha) {
    throw new ForgeRefused(
      `head_commit_id is out of date: the head is ${item.pull.headSha}. Read it again.`,
      409,
    );
  }
  if (!item.pull.mergeable) {
    throw new ForgeRefused(
      'It conflicts with its base. Rebase or merge the base, then try again later.',
      405,
    );
  }
}

function mergeWork(context: PocketContext, call: MergeCall): Omit<MergeWork, 'folder'> {
  const { item, style } = call;
  const repository = fullName(context.state, repositoryById(context.state, item.repository));
  const standard =
    style === 'merge'
      ? `Merge pull request '${item.title}' (#${item.number}) from ${item.pull.headRef} into ${item.pull.baseRef}`
      : `${item.title} (#${item.number})`;
  const title = call.title === undefined || call.title === '' ? standard : call.title;
  const reviewed =
    style === 'merge' ? `\nReviewed-on: ${context.url}/${repository}/pulls/${item.number}\n` : '';
  const message = call.message === undefined || call.message === '' ? reviewed : `\n${call.message}\n`;
  return {
    base: item.pull.baseSha,
    head: item.pull.headSha,
    message: `${title}\n${message}`,
    identity: identityOf(call.actor),
  };
}

async function commitMessages(
  context: PocketContext,
  repository: StoredRepository,
  item: PullItem,
): Promise<string[]> {
  const range = `${item.pull.baseSha}..${item.pull.headSha}`;
  const commits = await listCommits(context.git, folderOf(context, repository), [range]);
  return commits.map((c) => c.message);
}

/** Sends delete, and closed for the pull requests that used the branch. */
export async function deleteBranch(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; branch: string },
): Promise<void> {
  requirePermission(o.repository, o.actor, 'write');
  if (o.branch === o.repository.defaultBranch) {
    throw new ForgeRefused('The default branch cannot be deleted. Change the default first.', 403);
  }
  const folder = folderOf(context, o.repository);
  const before = await listRefs(context.git, folder);
  if (!before.has(`refs/heads/${o.branch}`)) {
    throw new ForgeRefused(`There is no branch ${o.branch}. Check its name.`, 404);
  }
  await context.git.run({ folder, args: ['update-ref', '-d', `refs/heads/${o.branch}`] });
  const after = await listRefs(context.git, folder);
  await publishRefMoves(context, {
    repository: o.repository,
    actor: o.actor,
    before,
    after,
    closesIssues: false,
  });
}

/** The pull request of a head and a base, an open one before any other. */
export function pullByBranches(
  context: PocketContext,
  o: { repository: StoredRepository; head: string; base: string },
): PullItem | undefined {
  const matching = context.state.items
    .filter(isPull)
    .filter((i) => i.repository === o.repository.id)
    .filter((i) => i.pull.headRef === o.head && i.pull.baseRef === o.base);
  return matching.find((i) => i.state === 'open') ?? matching.at(-1);
}
