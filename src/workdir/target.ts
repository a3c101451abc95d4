/** Where a checkout should be, according to the forge. This is read from the mirror, which only we write. */

import { type Mirrors, type MirrorUse, pullRef } from './mirror.ts';
import { refused } from './names.ts';
import type { CheckoutSpec } from './port.ts';

export type Target = {
  base: string;
  baseSha: string;
} & (
  | {
      kind: 'branch';
      branch: string;
      remoteSha: string | null;
      /** a branch of the forge that makes the wanted name impossible */
      blockedBy: string | null;
    }
  /** `sha` differs from the wanted one when the forge no longer has that one */
  | { kind: 'pull'; ref: string; sha: string; wanted: string }
);

/** Brings the mirror up to date first. */
export async function findTarget(mirrors: Mirrors, use: MirrorUse, spec: CheckoutSpec): Promise<Target> {
  const at = spec.at;
  const base = at.base ?? spec.defaultBranch;
  const names = [base, spec.defaultBranch, ...(at.kind === 'branch' ? namesFor(at) : [])];
  await mirrors.refresh(use, { pull: at.kind === 'pull' ? at : null, names });
  const baseSha = await mirrors.head(use.path, `refs/heads/${base}`);
  if (baseSha === null) {
    throw refused(
      `${use.address.url} has no branch ${base}`,
      'Push a first commit to it, or correct the base branch in the agent or the forge',
    );
  }
  if (at.kind === 'branch') {
    const { branch, blockedBy } = await freeName(mirrors, use, at);
    const remoteSha = await mirrors.head(use.path, `refs/heads/${branch}`);
    return {
      kind: 'branch',
      base,
      baseSha,
      branch,
      remoteSha,
      blockedBy,
    };
  }
  if (await mirrors.fetchCommit(use, at.sha)) {
    return { kind: 'pull', base, baseSha, ref: at.ref, sha: at.sha, wanted: at.sha };
  }
  const head = await mirrors.head(use.path, pullRef(at.number));
  if (head === null) {
    throw refused(
      `${use.address.url} has neither commit ${at.sha} nor pull request ${at.number}`,
      'Check that the pull request still exists on the forge',
    );
  }
  return { kind: 'pull', base, baseSha, ref: at.ref, sha: head, wanted: at.sha };
}

type BranchPoint = Extract<CheckoutSpec['at'], { kind: 'branch' }>;

/** A branch `a/b/c` cannot exist beside `a` or `a/b`. */
function parentsOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function namesFor({ branch, otherwise = [] }: BranchPoint): string[] {
  const wanted = [branch, ...otherwise];
  return otherwise.length === 0 ? wanted : [...wanted, ...wanted.flatMap(parentsOf)];
}

/** The first name that is possible on the forge; the wanted one where none of them is. */
async function freeName(
  mirrors: Mirrors,
  use: MirrorUse,
  { branch, otherwise = [] }: BranchPoint,
): Promise<{ branch: string; blockedBy: string | null }> {
  let blockedBy: string | null = null;
  for (const name of otherwise.length === 0 ? [] : [branch, ...otherwise]) {
    const blocking = await blockingBranch(mirrors, use, name);
    // guard: branches: name taken
    if (blocking === null) return { branch: name, blockedBy };
    blockedBy ??= blocking;
  }
  return { branch, blockedBy: null };
}

async function blockingBranch(mirrors: Mirrors, use: MirrorUse, name: string): Promise<string | null> {
  for (const parent of parentsOf(name)) {
    if ((await mirrors.head(use.path, `refs/heads/${parent}`)) !== null) return parent;
  }
  return await mirrors.firstBelow(use.path, name);
}

/** The forge's branches that matter to the work. */
export function branchesOf(target: Target): string[] {
  const own = target.kind === 'branch' && target.remoteSha !== null ? [target.branch] : [];
  return [target.base, ...own];
}
