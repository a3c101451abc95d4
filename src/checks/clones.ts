/** Whether git can clone the repositories as each account. That the API answers does not show it. */
import type { ForgeConfig } from '../config/config.ts';
import { cloneAddress } from '../forges/clone-address.ts';
import { kitOf } from '../forges/registry.ts';
import type { Network } from '../network.ts';
import type { CloneTrial, TryClone } from '../workdir/try-clone.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Look } from './context.ts';
import { visibleSites } from './repositories.ts';
import { wayRemedy } from './way-remedies.ts';

export type CloneCheck = 'git-clone' | 'clone-failed' | 'branch-name-taken';

export const checkClones: Look = async (context) => {
  const found: Check[] = [];
  for (const forge of Object.values(context.config.forges)) found.push(...(await checkForge(context, forge)));
  return found;
};

async function checkForge(context: DoctorContext, forge: ForgeConfig): Promise<Check[]> {
  const found: Check[] = [];
  // What the API does not show is told among the accounts.
  for (const { repository, cloneUrl } of await visibleSites(context, forge)) {
    for (const agent of Object.keys(forge.accounts)) {
      const branchPrefix = context.config.agents.get(agent)?.branchPrefix ?? null;
      const of = { forge, agent, branchPrefix, fullName: repository.fullName, cloneUrl };
      const { check, isUnreachable } = await checkClone(of, context);
      found.push(check);
      // The others would not get there either, and each would wait for its time limit.
      if (isUnreachable) return found;
    }
  }
  return found;
}

interface Cloned {
  forge: ForgeConfig;
  agent: string;
  /** null: no branch of this agent's has to be made */
  branchPrefix: string | null;
  fullName: string;
  /** as the forge names it, without a password */
  cloneUrl: string;
}

interface CloneDeps {
  clone: TryClone;
  network: Pick<Network, 'proxyFor'>;
}

/** One repository as one account: git clones it, and the agent's branches can have their names there. */
export async function checkClone(
  cloned: Cloned,
  deps: CloneDeps,
): Promise<{ check: Check<CloneCheck>; isUnreachable: boolean }> {
  const { forge, agent, branchPrefix, fullName } = cloned;
  const url = cloneAddress(forge.cloneUrl, fullName);
  const { token } = forge.accounts[agent]!;
  const trial = await deps.clone({ url, token }, branchPrefix === null ? [] : leadingTo(branchPrefix));
  // guard: clone: doctor
  // guard: doctor and smoke: git really clones
  if (trial.kind === 'failed') {
    const check = cloneFailed({ ...cloned, url, trial, network: deps.network });
    return { check, isUnreachable: trial.failure === 'unreachable' };
  }
  const [taken] = trial.kind === 'cloned' ? trial.taken : [];
  if (taken !== undefined) return { check: nameTaken(cloned, taken), isUnreachable: false };
  const well = { problem: '', evidence: `git cloned ${fullName}`, remedy: '' };
  const check = { check: 'git-clone', severity: 'ok', subject: subjectOf(cloned), ...well } as const;
  return { check, isUnreachable: false };
}

function subjectOf({ forge, fullName, agent }: Cloned): string {
  return `forge ${forge.name}, ${fullName}, agent ${agent}`;
}

/** Git has no branch `a/b/7` beside a branch `a` or `a/b`. */
function leadingTo(prefix: string): string[] {
  const parts = prefix.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function nameTaken(cloned: Cloned, branch: string): Check<CloneCheck> {
  return {
    check: 'branch-name-taken',
    severity: 'broken',
    fault: 'refused',
    subject: subjectOf(cloned),
    problem: `no branch can be called ${cloned.branchPrefix}/<number> there, so the agent's get another prefix than is configured`,
    evidence: `the repository has a branch called ${branch}`,
    remedy: `Rename that branch, or set branch_prefix in agents/${cloned.agent}.md to a name that no branch has.`,
  };
}

type FailedTrial = Extract<CloneTrial, { kind: 'failed' }>;
interface Failed extends Cloned {
  url: string;
  trial: FailedTrial;
  network: CloneDeps['network'];
}

function cloneFailed(failed: Failed): Check<CloneCheck> {
  const { url, cloneUrl, trial } = failed;
  const named = cloneUrl === url ? '' : `; the forge itself names ${cloneUrl}, which is not used`;
  return {
    check: 'clone-failed',
    severity: 'broken',
    subject: subjectOf(failed),
    problem: 'the API answers, but git cannot clone',
    evidence: `git at ${url}: ${trial.words}${named}`,
    remedy: remedyFor(failed),
  };
}

function remedyFor({ forge, agent, url, trial, network }: Failed): string {
  const address = `forges.${forge.name}.clone_url to the address under which this machine reaches git on the forge over HTTP, without owner and name.`;
  switch (trial.failure) {
    case 'denied':
      return `Give the token of forges.${forge.name}.accounts.${agent} the scope ${kitOf(forge.kind).tokens.repository}. If it has it, set ${address}`;
    case 'missing':
      return `Set ${address} If it is right, let the account of ${agent} see the repository.`;
    case 'machine':
      return 'Install git (`apt-get install git`), or free the resource that git names on this machine.';
    default:
      return wayRemedy(network, url, trial.words) ?? `Set ${address}`;
  }
}
