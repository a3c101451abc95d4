/** Whether git gets to the repositories as each account: an API that answers says nothing of that. */
import type { ForgeConfig } from '../config/config.ts';
import { cloneAddress } from '../forges/clone-address.ts';
import { branchRemedy, cloneRemedy, leadingTo } from '../smoke/clones.ts';
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
      // guard: clone: doctor
      if (trial.kind !== 'failed') continue;
      findings.push(cloneFailed({ forge, agent, url, visible, trial, network: context.network }));
      // It is the same for all, and each trial waits for its time limit.
      if (trial.failure === 'unreachable') return findings;
    }
  }
  return findings;
}

function nameTaken(subject: string, agent: string, branch: string, prefix: string): Finding {
  return {
    check: 'branch-name-taken',
    severity: 'broken',
    subject,
    problem: `no branch can be called ${prefix}/<number> there, so the agent's get another prefix than is configured`,
    evidence: `the repository has a branch called ${branch}`,
    remedy: branchRemedy(agent),
  };
}

interface Failed {
  forge: ForgeConfig;
  agent: string;
  url: string;
  visible: Visible;
  network: DoctorContext['network'];
  trial: Extract<CloneTrial, { kind: 'failed' }>;
}

function cloneFailed({ forge, agent, url, visible, trial, network }: Failed): Finding {
  const named =
    visible.cloneUrl === url ? '' : `; the forge itself names ${visible.cloneUrl}, which is not used`;
  return {
    check: 'clone-failed',
    severity: 'broken',
    subject: `forge ${forge.name}, ${visible.repository.fullName}, agent ${agent}`,
    problem: 'the API answers, but git cannot clone',
    evidence: `git at ${url}: ${trial.words}${named}`,
    remedy: cloneRemedy(network, { forge: forge.name, agent, url }, trial),
  };
}
