/** What a dispatch reads of each repository, read once as each account: what is refused here fails every dispatch. */
import type { ForgeConfig } from '../config/config.ts';
import { type ReadTrial, tryReads } from '../forges/try-reads.ts';
import { CI_REMEDY } from '../smoke/forge-reads.ts';
import type { Check, DoctorContext, Visible } from './contract.ts';
import type { Finding } from './finding.ts';
import { visibleSites } from './repositories.ts';

export const checkReads: Check = async (context) => {
  const findings: Finding[] = [];
  for (const forge of Object.values(context.config.forges)) {
    for (const site of await visibleSites(context, forge))
      findings.push(...(await checkSite(context, forge, site)));
  }
  return findings;
};

async function checkSite(
  context: DoctorContext,
  forge: ForgeConfig,
  { repository }: Visible,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const agent of Object.keys(forge.accounts)) {
    const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
    const trials = await tryReads(context.forge(forge, agent), repository);
    const failed = trials.filter(({ outcome }) => outcome === 'failed');
    const hidden = trials.filter(({ outcome }) => outcome === 'hidden');
    const notOffered = trials.filter(({ outcome }) => outcome === 'not-offered');
    // guard: world trust: doctor reads what a dispatch reads
    if (failed.length > 0) findings.push(refused(subject, failed));
    if (hidden.length > 0) findings.push(withheld(subject, hidden));
    if (notOffered.length > 0) findings.push(limited(subject, notOffered));
  }
  return findings;
}

function refused(subject: string, failed: readonly ReadTrial[]): Finding {
  return {
    check: 'read-refused',
    severity: 'broken',
    subject,
    problem: `a dispatch could not read ${failed.map(({ what }) => what).join(', ')}, and would fail`,
    evidence: failed[0]!.why,
    remedy: 'Give the account access to the repository, and its token write:issue and write:repository.',
  };
}

function withheld(subject: string, hidden: readonly ReadTrial[]): Finding {
  return {
    check: 'ci-hidden',
    severity: 'broken',
    subject,
    problem: `the account may not read ${hidden.map(({ what }) => what).join(', ')}, so agents see neither runs nor logs`,
    evidence: [...new Set(hidden.map(({ why }) => why))].join(' '),
    remedy: CI_REMEDY,
  };
}

function limited(subject: string, notOffered: readonly ReadTrial[]): Finding {
  return {
    check: 'not-offered',
    severity: 'note',
    subject,
    problem: `the forge does not offer this account: ${notOffered.map(({ what }) => what).join(', ')}`,
    evidence: [...new Set(notOffered.map(({ why }) => why))].join(' '),
    remedy: 'Nothing: dispatches go on without it, and agents are told so.',
  };
}
