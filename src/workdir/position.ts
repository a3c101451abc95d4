/**
 * Moves an existing checkout to where it should be. The first rule: nothing the agent made is lost or moved, and a note
 * says whatever was left as it was.
 */
import { CheckoutBroken, inCheckout, operationInProgress, readStatus, type Status } from './checkout.ts';
import type { Control } from './control.ts';
import { isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { putAside } from './put-aside.ts';
import { isAncestor, rewrittenNote } from './rewritten.ts';
import type { Target } from './target.ts';

export interface Position {
  git: Git;
  control: Control;
  status: Status;
  /** the commit at which the service last detached HEAD, null when it never did */
  detachedAt: string | null;
  /**
   * where the forge's branch stood when the checkout last looked; null = it was not there, or is no branch
   */
  remoteBefore: string | null;
  notes: string[];
}

/** Answers the state of the checkout afterwards. */
export async function position(p: Position, target: Target): Promise<Status> {
  try {
    return target.kind === 'branch' ? await positionOnBranch(p, target) : await positionOnPull(p, target);
  } catch (error) {
    throw isDamage(error) ? new CheckoutBroken(String(error)) : error;
  }
}

async function positionOnBranch(p: Position, target: Target & { kind: 'branch' }): Promise<Status> {
  const dirty = p.status.dirtyFiles.length;
  if (dirty > 0) p.notes.push(`Uncommitted changes of an earlier run were kept (${countOf(dirty)}).`);
  const operation = await operationInProgress(p.control.checkout);
  if (operation !== null) {
    const behind = await newCommits(p, target);
    p.notes.push(
      `A ${operation} is in progress in the checkout; it was left as it is. Finish or abort it first.${behind}`,
    );
    return p.status;
  }
  return (await goToBranch(p, target)) ? await readStatus(p.git, p.control) : p.status;
}

/**
 * Answers whether anything was moved. Git itself refuses each step that would overwrite an uncommitted file.
 */
async function goToBranch(p: Position, target: Target & { kind: 'branch' }): Promise<boolean> {
  let head = p.status.headSha;
  let moved = false;
  if (p.status.branch !== target.branch) {
    const where = p.status.branch === null ? 'at a commit without a branch' : `on branch ${p.status.branch}`;
    await keepDetachedWork(p);
    const switched = await switchTo(p, target);
    if (switched === null) {
      p.notes.push(
        `The checkout is ${where}, not on ${target.branch}; it was left there, because the uncommitted changes are in files that differ on ${target.branch}. Commit them where they belong, then go to ${target.branch}.${await newCommits(p, target)}`,
      );
      return moved;
    }
    head = switched;
    moved = true;
    p.notes.push(`The checkout was ${where}; it is now on ${target.branch}.`);
  }
  const remote = target.remoteSha;
  if (remote === null || remote === head) return moved;
  const rewritten = await rewrittenNote(p, { branch: target.branch, head, remote, before: p.remoteBefore });
  // guard: a force-push by a person
  if (rewritten !== null) {
    p.notes.push(rewritten);
    return moved;
  }
  if (await isAncestor(p, remote, head)) return moved;
  if (!(await isAncestor(p, head, remote))) {
    p.notes.push(
      `The branch on the forge and the checkout have diverged; the checkout was left as it is. Merge or rebase onto origin/${target.branch}.`,
    );
    return moved;
  }
  const args = ['merge', '--quiet', '--ff-only', '--no-stat', remote];
  // guard: truth: a dev follows the forge with files in nobody’s way
  if ((await inCheckout(p.git, p.control, args, [0, 1, 128])).exitCode === 0) {
    p.notes.push('The branch on the forge has new commits by others; the checkout was fast-forwarded.');
    return true;
  }
  p.notes.push(
    `The branch on the forge has new commits by others, up to ${remote}; the checkout was not fast-forwarded and is at ${head}, because they change files that have uncommitted changes here. Commit your changes, then merge origin/${target.branch}.`,
  );
  return moved;
}

/** A sentence for a checkout that was left as it is: the forge is ahead of it. */
async function newCommits(p: Position, target: Target & { kind: 'branch' }): Promise<string> {
  const remote = target.remoteSha;
  if (remote === null || (await isAncestor(p, remote, p.status.headSha))) return '';
  return ` The branch ${target.branch} on the forge has commits that are not in it, up to ${remote}: they are in origin/${target.branch}.`;
}

/**
 * Checks out exactly this commit, whatever stands in the way, because what the agent says about a pull request is about
 * this commit. Differences that exist right after git made the tree (line ends, names that differ in case only) are
 * nobody's work.
 */
async function positionOnPull(p: Position, target: Target & { kind: 'pull' }): Promise<Status> {
  const { git, control, status } = p;
  await keepDetachedWork(p);
  const aside = await putAside(control.checkout, status.dirtyFiles);
  // guard: truth: a pull request is checked out exactly
  if (status.headSha === target.sha && aside === null) return status;
  if (aside !== null) {
    const files = status.dirtyFiles.length;
    const what =
      files === 0 ? 'An unfinished operation of git' : `What was not committed (${countOf(files)})`;
    p.notes.push(
      `${what} was put aside, out of your reach (${aside} beside the checkout): the checkout is at the commit of the pull request, exactly.`,
    );
  }
  await inCheckout(git, control, ['checkout', '--quiet', '--force', '--detach', target.sha, '--']);
  await control.returnHead();
  const now = await readStatus(git, control);
  if (now.headSha !== target.sha) {
    throw new CheckoutBroken(`the checkout is at ${now.headSha} and could not be moved to ${target.sha}`);
  }
  if (status.headSha !== target.sha)
    p.notes.push(`The pull request moved from ${status.headSha} to ${target.sha}; the checkout followed it.`);
  return now;
}

function countOf(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

/**
 * Switches to the branch, which is made where it does not exist. Answers its head, null = git would have to overwrite a
 * file.
 */
async function switchTo(p: Position, target: Target & { kind: 'branch' }): Promise<string | null> {
  const ref = `refs/heads/${target.branch}`;
  const local = await inCheckout(
    p.git,
    p.control,
    ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`],
    [0, 1],
  );
  const start = target.remoteSha ?? target.baseSha;
  const how = local.exitCode === 0 ? [target.branch] : ['--no-track', '-b', target.branch, start];
  const answers = p.status.dirtyFiles.length > 0 ? [0, 1, 128] : [0];
  const gone = await inCheckout(p.git, p.control, ['checkout', '--quiet', ...how, '--'], answers);
  if (gone.exitCode !== 0) return null;
  await p.control.returnHead();
  return local.exitCode === 0 ? local.stdout : start;
}

/**
 * Commits on a detached HEAD that no branch or tag has would be lost from sight once HEAD moves, so they get a branch.
 */
async function keepDetachedWork(p: Position): Promise<void> {
  const head = p.status.headSha;
  if (p.status.branch !== null || head === p.detachedAt) return;
  const args = ['rev-list', '--max-count=1', head, '--not', '--branches', '--remotes', '--tags'];
  if ((await inCheckout(p.git, p.control, args)).stdout === '') return;
  const name = `kept-${head.slice(0, 12)}`;
  await inCheckout(p.git, p.control, ['update-ref', `refs/heads/${name}`, head]);
  p.notes.push(`Commits made without a branch were kept as branch ${name}.`);
}
