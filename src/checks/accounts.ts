/** Each agent's token on each forge: whose it is, and what it may do. */
import type { ForgeConfig } from '../config/config.ts';
import type { Forge } from '../forges/forge.ts';
import type { TokenWords } from '../forges/kit.ts';
import { kitOf } from '../forges/registry.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Visible } from './context.ts';
import { checkIdentity } from './identity.ts';
import { hooksOf, visibleSites } from './repositories.ts';
import { checkSites } from './sites.ts';

export async function checkAccounts(context: DoctorContext): Promise<Check[]> {
  const findings: Check[] = [];
  for (const forge of Object.values(context.config.forges)) {
    for (const agent of Object.keys(forge.accounts)) {
      findings.push(await checkIdentity(forge, agent, context));
    }
    findings.push(...(await checkSites(context, forge)));
    for (const visible of await visibleSites(context, forge)) {
      findings.push(...(await checkAccess(context, forge, visible)));
    }
  }
  return findings;
}

function scopeFinding(subject: string, tokens: TokenWords, scope: string, evidence: string): Check {
  return {
    check: 'token-scope',
    severity: 'broken',
    subject,
    problem: `the token lacks the scope ${scope}`,
    evidence,
    remedy: `Make a token with ${tokens.scopes}; a token’s scopes cannot be changed afterwards.`,
  };
}

async function checkAccess(
  context: DoctorContext,
  forge: ForgeConfig,
  { repository }: Visible,
): Promise<Check[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}`;
  const findings: Check[] = [];
  for (const [agent, { login }] of Object.entries(forge.accounts)) {
    findings.push(...(await checkRights({ context, forge, agent, login, repository })));
  }
  const isAsked = forge.requiredPermission !== 'none' && Object.keys(forge.accounts).length > 0;
  // Only administrators of a repository see its hooks, and what another account may do in it.
  if (isAsked && 'problem' in (await hooksOf(context, forge, repository))) {
    findings.push(noAdministrator(subject));
  }
  return findings;
}

interface About {
  context: DoctorContext;
  forge: ForgeConfig;
  agent: string;
  login: string;
  repository: RepositoryRef;
}

async function checkRights({ context, forge, agent, login, repository }: About): Promise<Check[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
  const client = context.forge(forge, agent);
  const { tokens } = kitOf(forge.kind);
  try {
    const scopes = await client.tokenScopes(repository);
    // An agent works without the scope `self`; checkIdentity tells of it.
    const refused = (['issue', 'repository'] as const).filter((s) => scopes[s] === 'refused');
    const lacking = refused.map((s) =>
      scopeFinding(subject, tokens, tokens[s], `the forge refused a harmless call of the group “${s}”`),
    );
    if (lacking.length > 0) return lacking;
    const own = await ownPermission(client, repository, scopes.user === 'refused');
    if (own !== 'none' && own !== 'read') return [];
    return [
      {
        check: 'account-cannot-write',
        severity: 'broken',
        subject,
        problem: `the account ${login} may not push to this repository`,
        evidence: `its permission is ${own}`,
        remedy: `Give ${login} write access to ${repository.fullName}.`,
      },
    ];
  } catch (error) {
    return [
      {
        check: 'rights-unknown',
        severity: 'note',
        subject,
        problem: 'what this account may do could not be asked',
        evidence: (error as Error).message,
        remedy: `See that ${login} is a collaborator with write access and its token has ${tokens.issue} and ${tokens.repository}.`,
      },
    ];
  }
}

/** A token that may not be asked whose it is learns its own rights from the repository's answer. */
async function ownPermission(client: Forge, repository: RepositoryRef, isNameless: boolean): Promise<string> {
  if (!isNameless) return await client.permissionOf(repository, await client.self());
  const { mayPush } = await client.findRepository(repository.fullName);
  return mayPush === false ? 'read' : 'unknown';
}

function noAdministrator(subject: string): Check {
  return {
    check: 'no-repository-administrator',
    severity: 'note',
    subject,
    problem:
      'none of our accounts administers the repository, so the forge does not tell what a sender may do in it',
    evidence: 'listing hooks was refused to all of them (tokens limited to repositories never may)',
    remedy:
      'Nothing, if the lists that stand in are enough: direct collaborators and who can be assigned. Members of teams with other rights may be refused; then give one agent’s account administrator rights, or name people in trusted_senders.',
  };
}
