/** Where a checkout should be, as far as the forge is concerned: read from the mirror, which is ours. */
import type { CheckoutSpec } from './contract.ts';
import { type Mirrors, type MirrorUse, pullRef } from './mirror.ts';
import { refused } from './names.ts';

export type Target = {
  base: string;
  baseSha: string;
} & (
  | { kind: 'branch'; branch: string; remoteSha: string | null }
  /** `sha` differs from the wanted one when the forge no longer has that */
  | { kind: 'pull'; number: number; sha: string; wanted: string }
);

/** Refreshes the mirror first. */
export async function findTarget(mirrors: Mirrors, use: MirrorUse, spec: CheckoutSpec): Promise<Target> {
  const at = spec.at;
  const base = at.base ?? spec.defaultBranch;
  const names = [base, spec.defaultBranch, ...(at.kind === 'branch' ? [at.branch] : [])];
  await mirrors.refresh(use, { pull: at.kind === 'pull' ? at.number : null, names });
  const [baseSha, remoteSha] = await Promise.all([
    mirrors.head(use.path, `refs/heads/${base}`),
    at.kind === 'branch' ? mirrors.head(use.path, `refs/heads/${at.branch}`) : null,
  ]);
  if (baseSha === null) {
    throw refused(
      `${use.address.url} has no branch ${base}`,
      'Push a first commit to it, or correct the base branch in the agent or the forge',
    );
  }
  if (at.kind === 'branch') {
    return { kind: 'branch', base, baseSha, branch: at.branch, remoteSha };
  }
  if (await mirrors.fetchCommit(use, at.sha)) {
    return { kind: 'pull', base, baseSha, number: at.number, sha: at.sha, wanted: at.sha };
  }
  const head = await mirrors.head(use.path, pullRef(at.number));
  if (head === null) {
    throw refused(
      `${use.address.url} has neither commit ${at.sha} nor pull request ${at.number}`,
      'Check that the pull request still exists on the forge',
    );
  }
  return { kind: 'pull', base, baseSha, number: at.number, sha: head, wanted: at.sha };
}

/** The branches of the forge that the work goes by. */
export function branchesOf(target: Target): string[] {
  const own = target.kind === 'branch' && target.remoteSha !== null ? [target.branch] : [];
  return [target.base, ...own];
}
