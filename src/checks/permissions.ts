/** Whether people can wake agents: asks what every event asks about its sender, before the first event. */
import type { ForgeConfig } from '../config/config.ts';
import { kitOf } from '../forges/registry.ts';
import { silentLog } from '../log.ts';
import { createTrust, type Trust } from '../trust.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Look, Visible } from './context.ts';
import { visibleSites } from './repositories.ts';

/** People who are asked about in each repository. */
const MOST_ASKED = 3;

export const checkPermissions: Look = async (context) => {
  const { forges } = context.config;
  const trust = createTrust({
    forges: () => forges,
    client: context.forge,
    now: context.now,
    log: silentLog,
  });
  const findings: Check[] = [];
  for (const forge of Object.values(forges)) {
    if (forge.requiredPermission === 'none') continue;
    for (const site of await visibleSites(context, forge)) {
      findings.push(...(await checkSite({ context, trust, forge, site })));
    }
  }
  return findings;
};

interface Asked {
  context: DoctorContext;
  trust: Trust;
  forge: ForgeConfig;
  site: Visible;
}

async function checkSite({ context, trust, forge, site }: Asked): Promise<Check[]> {
  const { repository } = site;
  const untold: { user: ForgeUser; reason: string }[] = [];
  for (const user of await peopleOf({ context, forge, site })) {
    const { allowed, permission, reason } = await trust.judge({
      forge,
      repository,
      user,
      event: 'comment.created',
    });
    // guard: world trust: doctor tries the permission check
    if (!allowed && permission === 'unknown') untold.push({ user, reason });
  }
  if (untold.length === 0) return [];
  return [
    {
      check: 'permission-untold',
      severity: 'broken',
      subject: `forge ${forge.name}, ${repository.fullName}`,
      problem:
        'people who may write here would be refused, because the forge does not tell our accounts that they may',
      evidence: `asked about ${untold.map(({ user }) => user.login).join(', ')}: the answer was neither yes nor no`,
      remedy: remedyFor(forge),
    },
  ];
}

function remedyFor({ kind, name }: ForgeConfig): string {
  return `Make one of the agents’ accounts an administrator of the repository, or, where an organization owns it, give its token the scope ${kitOf(kind).tokens.organization}; or name the people in forges.${name}.trusted_senders, which then counts as permission.`;
}

/** Some people who may be assigned, and so may write. Where trusted_senders names people, only those. */
async function peopleOf({ context, forge, site }: Omit<Asked, 'trust'>): Promise<ForgeUser[]> {
  const ours = new Set(Object.values(forge.accounts).map(({ login }) => login.toLowerCase()));
  const listed = forge.trustedSenders?.map((login) => login.toLowerCase()) ?? null;
  const isAsked = ({ login }: ForgeUser) => listed === null || listed.includes(login.toLowerCase());
  const answer = await context.forge(forge, site.agent).listAssignable(site.repository);
  // Who may not be assigned may not write, and is refused rightly.
  const all = answer.kind === 'people' ? answer.people : [];
  const people = all.filter((user) => !ours.has(user.login.toLowerCase()) && isAsked(user));
  return people.slice(0, MOST_ASKED);
}
