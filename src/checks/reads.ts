/** What a dispatch reads of each repository, read once as each account: what is refused here fails every dispatch. */
import type { ForgeConfig } from '../config/config.ts';
import { type ForgeKind, kitOf } from '../forges/registry.ts';
import { type ReadTrial, tryReads } from '../forges/try-reads.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Look, Visible } from './context.ts';
import { visibleSites } from './repositories.ts';

export type ReadsCheck = 'read-refused' | 'ci-hidden' | 'not-offered';

export const checkReads: Look = async (context) => {
  const findings: Check[] = [];
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
): Promise<Check[]> {
  const findings: Check[] = [];
  for (const agent of Object.keys(forge.accounts)) {
    const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
    findings.push(
      ...judgeReads({ subject, kind: forge.kind }, await tryReads(context.forge(forge, agent), repository)),
    );
  }
  return findings;
}

interface About {
  subject: string;
  kind: ForgeKind;
}

/** What is wrong, worst first; nothing where all was read. */
export function judgeReads(about: About, trials: readonly ReadTrial[]): Check<ReadsCheck>[] {
  const findings: Check<ReadsCheck>[] = [];
  const failed = trials.filter(({ outcome }) => outcome === 'failed');
  const hidden = trials.filter(({ outcome }) => outcome === 'hidden');
  const notOffered = trials.filter(({ outcome }) => outcome === 'not-offered');
  // guard: world trust: doctor reads what a dispatch reads
  if (failed.length > 0) findings.push(refused(about, failed));
  if (hidden.length > 0) findings.push(withheld(about, hidden));
  if (notOffered.length > 0) findings.push(limited(about, notOffered));
  return findings;
}

function refused({ subject, kind }: About, failed: readonly ReadTrial[]): Check<ReadsCheck> {
  const { tokens } = kitOf(kind);
  return {
    check: 'read-refused',
    severity: 'broken',
    subject,
    problem: `a dispatch could not read ${failed.map(({ what }) => what).join(', ')}, and would fail`,
    evidence: failed[0]!.why,
    remedy: `Give the account access to the repository, and its token ${tokens.issue} and ${tokens.repository}.`,
  };
}

function withheld({ subject, kind }: About, hidden: readonly ReadTrial[]): Check<ReadsCheck> {
  return {
    check: 'ci-hidden',
    severity: 'broken',
    fault: 'refused',
    subject,
    problem: `the account may not read ${hidden.map(({ what }) => what).join(', ')}, so agents see neither runs nor logs`,
    evidence: [...new Set(hidden.map(({ why }) => why))].join(' '),
    remedy: kitOf(kind).tokens.readCi,
  };
}

function limited({ subject }: About, notOffered: readonly ReadTrial[]): Check<ReadsCheck> {
  return {
    check: 'not-offered',
    severity: 'note',
    subject,
    problem: `the forge does not offer this account: ${notOffered.map(({ what }) => what).join(', ')}`,
    evidence: [...new Set(notOffered.map(({ why }) => why))].join(' '),
    remedy: 'Nothing: dispatches go on without it, and agents are told so.',
  };
}
