/**
 * Where an existing checkout ends up. One rule stands above the others: nothing the agent made is lost or moved, and
 * whatever is left as it was is said in a note.
 */
import { CheckoutBroken, inCheckout, operationInProgress, readStatus, type Status } from './checkout.ts';
import type { Control } from './control.ts';
import { isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { isAncestor, rewrittenNote } from './rewritten.ts';
import type { Target } from './target.ts';

export interface Position {
  git: Git;
  control: Control;
  status: Status;
  /** where the service last detached HEAD, null when it never did */
  detachedAt: string | null;
  /** where the branch stood on the forge when the checkout last looked; null = it was not there, or is no branch */
  remoteBefore: string | null;
  notes: string[];
}

/** Answers the state it leaves. */
export async function position(p: Position, target: Target): Promise<Status> {
  const dirty = p.status.dirtyFiles.length;
  if (dirty > 0)
    p.notes.push(
      `Uncommitted changes of an earlier run were kept (${dirty === 1 ? '1 file' : `${dirty} files`}).`,
    );
  const operation = await operationInProgress(p.control.checkout);
  if (operation !== null) {
    p.notes.push(
      `A ${operation} is in progress in the checkout; it was left as it is. Finish or abort it first.`,
    );
    return p.status;
  }
  try {
    const moved =
      target.kind === 'branch' ? await positionOnBranch(p, target) : await positionOnPull(p, target);
    return moved ? await readStatus(p.git, p.control) : p.status;
  } catch (error) {
    throw isDamage(error) ? new CheckoutBroken(String(error)) : error;
  }
}

/** Answers whether anything was moved. */
async function positionOnBranch(p: Position, target: Target & { kind: 'branch' }): Promise<boolean> {
  const dirty = p.status.dirtyFiles.length > 0;
  let head = p.status.headSha;
  let moved = false;
  if (p.status.branch !== target.branch) {
    const where = p.status.branch === null ? 'at a commit without a branch' : `on branch ${p.status.branch}`;
    if (dirty && !(target.isNextRound && (await carriesAlong(p, target)))) {
      p.notes.push(
        `The checkout is ${where} with uncommitted changes, not on ${target.branch}; it was left there.`,
      );
      return moved;
    }
    await keepDetachedWork(p);
    head = await switchTo(p, target);
    moved = true;
    p.notes.push(`The checkout was ${where}; it is now on ${target.branch}.`);
  }
  const remote = target.remoteSha;
  if (remote === null || remote === head) return moved;
  const rewritten = await rewrittenNote(p, { branch: target.branch, head, remote, before: p.remoteBefore });
  if (rewritten !== null) {
    p.notes.push(rewritten);
    return moved;
  }
  if (await isAncestor(p, remote, head)) return moved;
  if (!(await isAncestor(p, head, remote))) {
    p.notes.push(
      `The branch on the forge and the checkout have diverged; the checkout was left as it is. Merge or rebase onto origin/${target.branch}.`,
    );
  } else if (dirty) {
    p.notes.push(
      `The branch on the forge has new commits by others; because of the uncommitted changes the checkout was not fast-forwarded. They are in origin/${target.branch}.`,
    );
  } else {
    await inCheckout(p.git, p.control, ['merge', '--quiet', '--ff-only', '--no-stat', remote]);
    p.notes.push('The branch on the forge has new commits by others; the checkout was fast-forwarded.');
    moved = true;
  }
  return moved;
}

async function positionOnPull(p: Position, target: Target & { kind: 'pull' }): Promise<boolean> {
  if (p.status.headSha === target.sha) return false;
  if (p.status.dirtyFiles.length > 0) {
    p.notes.push(
      `The pull request is at ${target.sha}; because of the uncommitted changes the checkout was left at ${p.status.headSha}.`,
    );
    return false;
  }
  await keepDetachedWork(p);
  await inCheckout(p.git, p.control, ['checkout', '--quiet', '--detach', target.sha, '--']);
  await p.control.returnHead();
  p.notes.push(`The pull request moved from ${p.status.headSha} to ${target.sha}; the checkout followed it.`);
  return true;
}

/** Whether git can take the uncommitted changes along; it leaves everything as it is where it cannot. */
async function carriesAlong(p: Position, target: Target & { kind: 'branch' }): Promise<boolean> {
  const start = target.remoteSha ?? target.baseSha;
  const args = ['read-tree', '--dry-run', '-m', '-u', p.status.headSha, start];
  return (await inCheckout(p.git, p.control, args, [0, 1, 128])).exitCode === 0;
}

/** The clean tree goes to the branch; it is made where it does not exist. Answers the branch's head. */
async function switchTo(p: Position, target: Target & { kind: 'branch' }): Promise<string> {
  const ref = `refs/heads/${target.branch}`;
  const local = await inCheckout(
    p.git,
    p.control,
    ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`],
    [0, 1],
  );
  const start = target.remoteSha ?? target.baseSha;
  const how = local.exitCode === 0 ? [target.branch] : ['--no-track', '-b', target.branch, start];
  await inCheckout(p.git, p.control, ['checkout', '--quiet', ...how, '--']);
  await p.control.returnHead();
  return local.exitCode === 0 ? local.stdout : start;
}

/** Commits on a detached HEAD that no branch or tag has would be out of sight once HEAD moves. */
async function keepDetachedWork(p: Position): Promise<void> {
  const head = p.status.headSha;
  if (p.status.branch !== null || head === p.detachedAt) return;
  const args = ['rev-list', '--max-count=1', head, '--not', '--branches', '--remotes', '--tags'];
  if ((await inCheckout(p.git, p.control, args)).stdout === '') return;
  const name = `kept-${head.slice(0, 12)}`;
  await inCheckout(p.git, p.control, ['update-ref', `refs/heads/${name}`, head]);
  p.notes.push(`Commits made without a branch were kept as branch ${name}.`);
}
