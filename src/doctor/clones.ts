/** Whether git gets to the repositories as each account: an API that answers says nothing of that. */
import type { ForgeConfig } from '../config/config.ts';
import { cloneAddress } from '../forge/clone-address.ts';
import type { CloneTrial } from '../workdir/try-clone.ts';
import type { Check, DoctorContext, Visible } from './contract.ts';
import type { Finding } from './finding.ts';
import { visibleSites } from './repositories.ts';

export const checkClones: Check = async (context) => {
  const findings: Finding[] = [];
  for (const forge of Object.values(context.config.forges)) {
    findings.push(...(await checkForge(context, forge)));
  }
  return findings;
};

async function checkForge(context: DoctorContext, forge: ForgeConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  // What the API does not show is told among the accounts.
  for (const visible of await visibleSites(context, forge)) {
    for (const [agent, { token }] of Object.entries(forge.accounts)) {
      const url = cloneAddress(forge.cloneUrl, visible.repository.fullName);
      const prefix = context.config.agents.get(agent)?.branchPrefix ?? null;
      const trial = await context.clone({ url, token }, prefix === null ? [] : leadingTo(prefix));
      if (trial.kind === 'cloned' && trial.taken.length > 0) {
        const subject = `forge ${forge.name}, ${visible.repository.fullName}, agent ${agent}`;
        findings.push(nameTaken(subject, agent, trial.taken[0]!, prefix!));
      }
      if (trial.kind !== 'failed') continue;
      findings.push(cloneFailed({ forge, agent, url, visible, trial }));
      // It is the same for all, and each trial waits for its time limit.
      if (trial.failure === 'unreachable') return findings;
    }
  }
  return findings;
}

/** Git has no branch `a/b/7` beside a branch `a` or `a/b`. */
function leadingTo(prefix: string): string[] {
  const parts = prefix.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function nameTaken(subject: string, agent: string, branch: string, prefix: string): Finding {
  return {
    check: 'branch-name-taken',
    severity: 'note',
    subject,
    problem: `no branch can be called ${prefix}/<number> there, so the agent's get another prefix`,
    evidence: `the repository has a branch called ${branch}`,
    remedy: `Rename that branch, or set branch_prefix in agents/${agent}.md to a name that no branch has.`,
  };
}

interface Failed {
  forge: ForgeConfig;
  agent: string;
  url: string;
  visible: Visible;
  trial: Extract<CloneTrial, { kind: 'failed' }>;
}

function cloneFailed({ forge, agent, url, visible, trial }: Failed): Finding {
  const named =
    visible.cloneUrl === url ? '' : `; the forge itself names ${visible.cloneUrl}, which is not used`;
  return {
    check: 'clone-failed',
    severity: 'broken',
    subject: `forge ${forge.name}, ${visible.repository.fullName}, agent ${agent}`,
    problem: 'the API answers, but git cannot clone',
    evidence: `git at ${url}: ${trial.words}${named}`,
    remedy: remedyOf(trial.failure, forge, agent),
  };
}

function remedyOf(failure: Failed['trial']['failure'], { name }: ForgeConfig, agent: string): string {
  const address = `Set forges.${name}.clone_url to the address under which this machine reaches git on the forge over HTTP, without owner and name.`;
  switch (failure) {
    case 'denied':
      return `Give the token of forges.${name}.accounts.${agent} the scope write:repository. If it has it, ${lower(address)}`;
    case 'missing':
      return `${address} If it is right, let the account of ${agent} see the repository.`;
    case 'machine':
      return 'Free the resource that git names on this machine, or install git.';
    default:
      return address;
  }
}

function lower(sentence: string): string {
  return sentence[0]!.toLowerCase() + sentence.slice(1);
}
