/** Whether git gets to the repositories that are listed, as an agent's account, and whether its branches can have their names. */
import type { AgentConfig, ForgeConfig } from '../config/config.ts';
import { isForgesAnswer } from '../errors.ts';
import { cloneAddress } from '../forges/clone-address.ts';
import type { Forge } from '../forges/forge.ts';
import type { Network } from '../network.ts';
import type { CloneTrial, TryClone } from '../workdir/try-clone.ts';
import { namesOf } from './forge-reads.ts';
import type { SmokeCheck } from './report.ts';
import { wayRemedy } from './way-remedies.ts';

export interface CloneDeps {
  forge: (forge: ForgeConfig, agent: string) => Pick<Forge, 'findRepository' | 'listRepositories'>;
  clone: TryClone;
  network: Pick<Network, 'proxyFor'>;
}

/** One after another: each is a network's round trips, and one that is away is so for all. */
export async function checkClones(
  forge: ForgeConfig,
  agent: AgentConfig,
  deps: CloneDeps,
): Promise<SmokeCheck[]> {
  const checks = shaper(forge, agent);
  const cloned: string[] = [];
  const client = deps.forge(forge, agent.name);
  try {
    for (const name of await namesOf(forge, client)) {
      const { fullName } = (await client.findRepository(name)).repository;
      const url = cloneAddress(forge.cloneUrl, fullName);
      const { token } = forge.accounts[agent.name]!;
      const trial = await deps.clone({ url, token }, leadingTo(agent.branchPrefix));
      // guard: doctor and smoke: git really clones
      if (trial.kind === 'failed') {
        const detail = `git cannot clone ${fullName}: ${trial.words}`;
        const at = { forge: forge.name, agent: agent.name, url };
        return [checks('git-clone', 'failed', detail, cloneRemedy(deps.network, at, trial))];
      }
      const [taken] = trial.kind === 'cloned' ? trial.taken : [];
      if (taken !== undefined) {
        const detail = `${fullName} has a branch ${taken}, so no branch can be called ${agent.branchPrefix}/<number>`;
        return [checks('branch-name', 'refused', detail, branchRemedy(agent.name))];
      }
      cloned.push(fullName);
    }
  } catch (error) {
    // What the API says is told by the check of the token and by that of what is read.
    if (!isForgesAnswer(error)) throw error;
    return [];
  }
  if (cloned.length === 0) return [];
  return [checks('git-clone', 'ok', `git cloned ${cloned.join(', ')}`, '')];
}

function shaper(forge: ForgeConfig, agent: AgentConfig) {
  return (
    check: SmokeCheck['check'],
    state: SmokeCheck['state'],
    detail: string,
    remedy: string,
  ): SmokeCheck => ({ agent: agent.name, check, state, detail: `${forge.name}: ${detail}`, remedy });
}

/** Git has no branch `a/b/7` beside a branch `a` or `a/b`. */
export function leadingTo(prefix: string): string[] {
  const parts = prefix.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

export function branchRemedy(agent: string): string {
  return `Rename that branch, or set branch_prefix in agents/${agent}.md to a name that no branch has.`;
}

type FailedTrial = Extract<CloneTrial, { kind: 'failed' }>;

export function cloneRemedy(
  network: Pick<Network, 'proxyFor'>,
  at: { forge: string; agent: string; url: string },
  { failure, words }: FailedTrial,
): string {
  const address = `Set forges.${at.forge}.clone_url to the address under which this machine reaches git on the forge over HTTP, without owner and name.`;
  switch (failure) {
    case 'denied':
      return `Give the token of forges.${at.forge}.accounts.${at.agent} the scope write:repository. If it has it, ${lower(address)}`;
    case 'missing':
      return `${address} If it is right, let the account of ${at.agent} see the repository.`;
    case 'machine':
      return 'Install git (`apt-get install git`), or free the resource that git names on this machine.';
    default:
      return wayRemedy(network, at.url, words) ?? address;
  }
}

function lower(sentence: string): string {
  return sentence[0]!.toLowerCase() + sentence.slice(1);
}
