/** The repositories as they are listed: seen by an account of ours, under that name, and with a commit to begin from. */
import type { ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Site, Visible } from './context.ts';

export async function checkSites(context: DoctorContext, forge: ForgeConfig): Promise<Check[]> {
  const { sites, empty, leftOut } = await context.sites(forge);
  return [
    ...sites.flatMap((site) => judgeSite(forge, site)),
    ...empty.map((pattern) => nothingBelow(forge, pattern)),
    ...(leftOut === 0 ? [] : [notLookedAt(forge, { looked: sites.length, leftOut })]),
  ];
}

function judgeSite(forge: ForgeConfig, site: Site): Check[] {
  const { seen, name } = site;
  if ('problem' in seen) {
    // checkIdentity tells of a forge that does not answer, once for each account.
    return seen.answered ? [invisible(forge, name, seen.problem)] : [];
  }
  const isRenamed = seen.repository.fullName.toLowerCase() !== name.toLowerCase();
  return [
    ...(isRenamed && site.isNamed ? [renamed(forge, name, seen)] : []),
    ...(seen.isEmpty ? [withoutCommit(forge, seen)] : []),
  ];
}

function invisible(forge: ForgeConfig, name: string, problem: string): Check {
  return {
    check: 'repository-invisible',
    severity: 'broken',
    subject: `forge ${forge.name}, ${name}`,
    problem: 'no account of our agents may see this repository',
    evidence: problem,
    remedy: `Add the agents’ accounts to ${name} with write access, or take it out of forges.${forge.name}.repositories.`,
  };
}

/** The forge redirects the old name until somebody takes it. The service goes by the present one. */
function renamed(forge: ForgeConfig, name: string, { repository }: Visible): Check {
  const now = repository.fullName;
  const isCovered = isListed(forge, now);
  return {
    check: 'repository-renamed',
    severity: isCovered ? 'note' : 'broken',
    subject: `forge ${forge.name}, ${name}`,
    problem: isCovered
      ? `the repository is called ${now} now; its conversations go on`
      : `the repository is called ${now} now, and events of that name are refused, because it is not listed`,
    evidence: `the forge answers ${name} with ${now} (id ${repository.id})`,
    remedy: isCovered
      ? `Nothing at once: ${now} is listed, too. Take ${name} out of forges.${forge.name}.repositories.`
      : `Write ${now} in place of ${name} in forges.${forge.name}.repositories, if it is still yours. Its conversations go on then.`,
  };
}

function withoutCommit(forge: ForgeConfig, { repository }: Visible): Check {
  return {
    check: 'repository-empty',
    severity: 'risk',
    subject: `forge ${forge.name}, ${repository.fullName}`,
    problem: 'the repository has no commit yet, so agents have nothing to begin a branch from',
    evidence: 'the forge answers that it is empty',
    remedy: 'Push a first commit to its default branch.',
  };
}

function nothingBelow(forge: ForgeConfig, pattern: string): Check {
  return {
    check: 'no-repository-seen',
    severity: 'risk',
    subject: `forge ${forge.name}, ${pattern}`,
    problem: 'no account of our agents sees a repository of this owner',
    evidence: 'the lists of repositories that the accounts can reach name none',
    remedy: `Add the agents’ accounts to the repositories with write access, or correct ${pattern} in forges.${forge.name}.repositories.`,
  };
}

function notLookedAt(forge: ForgeConfig, { looked, leftOut }: { looked: number; leftOut: number }): Check {
  return {
    check: 'repositories-left-out',
    severity: 'note',
    subject: `forge ${forge.name}`,
    problem: `${leftOut} more repositories were not looked at`,
    evidence: `the first ${looked} were`,
    remedy: `To look at a certain one, name it in forges.${forge.name}.repositories.`,
  };
}
