/** The package door of one run: its policy, and the lock files that count for it. */
import { HOME_INSIDE } from '../../container/place.ts';
import { approvedCommits } from '../../packages/approvals.ts';
import { type LockedPackages, policyOfRun } from '../../packages/policy.ts';
import { readLocked } from '../../packages/read-locked.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { trustedBase } from '../trusted-base.ts';
import type { DoorOpener } from './door-opener.ts';
import { remoteNow } from './doors.ts';

export const openPackages: DoorOpener = async (dispatch, deps, restriction) => {
  const { packages: policy } = dispatch.agent.container;
  if (policy === 'off') return null;
  let locked: Promise<LockedPackages> | null = null;
  return await deps.packages.open({
    dispatchId: dispatch.key.dispatchId,
    conversationId: dispatch.key.conversationId,
    agent: dispatch.agent.name,
    home: HOME_INSIDE,
    policy: () => policyOfRun(policy, restriction()),
    locked: () => {
      locked ??= lockedOf(dispatch, deps).catch((error: unknown) => {
        locked = null;
        throw error;
      });
      return locked;
    },
  });
};

/** As of the start of the run. Nothing of the checkout is read: a pull request may have changed it. */
async function lockedOf(dispatch: Prepared, deps: DispatchDeps): Promise<LockedPackages> {
  const { forge, repository } = dispatch;
  const { checkout } = dispatch.place;
  const remote = await remoteNow(dispatch, deps);
  const approved = await approvedCommits(deps.database.rows, {
    forge: forge.config.name,
    repository: repository.fullName,
  });
  // guard: packages: lock files of the base branch
  const base = await trustedBase(dispatch, deps, remote);
  return await readLocked({
    commits: [{ sha: base, what: 'base' }, ...approved.map((sha) => ({ sha, what: 'approved' as const }))],
    files: (sha, isWanted) => deps.workdir.filesNamed(checkout, { remote, sha }, isWanted),
    log: deps.log,
  });
}
