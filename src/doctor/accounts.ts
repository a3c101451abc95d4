/** Each agent's token on each forge: whose it is, what it may do, and what falls back when it may not. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeRefused } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { wayRemedy } from '../smoke/way-remedies.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { DoctorContext, Visible } from './contract.ts';
import type { Finding } from './finding.ts';
import { visibleSites } from './repositories.ts';
import { checkSites } from './sites.ts';

export async function checkAccounts(context: DoctorContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const forge of Object.values(context.config.forges)) {
    for (const agent of Object.keys(forge.accounts)) {
      findings.push(...(await checkIdentity(context, forge, agent)));
    }
    findings.push(...(await checkSites(context, forge)));
    for (const visible of await visibleSites(context, forge)) {
      findings.push(...(await checkAccess(context, forge, visible)));
    }
  }
  return findings;
}

async function checkIdentity(context: DoctorContext, forge: ForgeConfig, agent: string): Promise<Finding[]> {
  const subject = `forge ${forge.name}, agent ${agent}`;
  const { login } = forge.accounts[agent]!;
  const key = `forges.${forge.name}.accounts.${agent}`;
  try {
    const self = await context.forge(forge, agent).self();
    if (self.login.toLowerCase() === login.toLowerCase()) return [];
    return [
      {
        check: 'token-of-another-account',
        severity: 'broken',
        subject,
        problem: 'the token belongs to another account than the configuration says',
        evidence: `the forge answers ${self.login}, ${key}.login is ${login}`,
        remedy: `Make a token for ${login}, or correct ${key}.login.`,
      },
    ];
  } catch (error) {
    return [
      identityProblem(subject, key, error as Error, wayRemedy(context.network, forge.url, String(error))),
    ];
  }
}

function identityProblem(subject: string, key: string, error: Error, way: string | null): Finding {
  const status = error instanceof ForgeRefused ? error.status : null;
  if (status === 401) {
    return {
      check: 'token-refused',
      severity: 'broken',
      subject,
      problem: 'the forge does not know this token: it is mistyped, expired or was revoked',
      evidence: error.message,
      remedy: `Make a new token and put it into ${key}.token.`,
    };
  }
  if (status === 403) {
    return {
      check: 'token-without-name',
      severity: 'note',
      subject,
      problem: `the token may not be asked whose it is, so ${key}.login is believed until its first post shows the author`,
      evidence: error.message,
      remedy:
        'Make a token with write:issue, write:repository and read:user. A token for named repositories (Forgejo 15 and newer) cannot have read:user: it works, but reads no hooks and no permissions of others, not even as an administrator, and sees no repository that it does not name.',
    };
  }
  return {
    check: 'forge-unreachable',
    severity: 'broken',
    subject,
    problem: 'the forge did not answer who the token belongs to',
    evidence: error.message,
    remedy: way ?? 'Check that the forge is up, and that its url in the configuration leads to it.',
  };
}

function scopeFinding(subject: string, scope: string, evidence: string): Finding {
  return {
    check: 'token-scope',
    severity: 'broken',
    subject,
    problem: `the token lacks the scope ${scope}`,
    evidence,
    remedy:
      'Make a token with write:issue, write:repository and read:user; a token’s scopes cannot be changed afterwards.',
  };
}

async function checkAccess(
  context: DoctorContext,
  forge: ForgeConfig,
  { repository }: Visible,
): Promise<Finding[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}`;
  const findings: Finding[] = [];
  let askers = 0;
  for (const [agent, { login }] of Object.entries(forge.accounts)) {
    const about = { context, forge, agent, login, repository };
    findings.push(...(await checkRights(about)));
    if (await mayAsk(about)) askers++;
  }
  if (askers === 0 && forge.requiredPermission !== 'none' && Object.keys(forge.accounts).length > 0) {
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

async function checkRights({ context, forge, agent, login, repository }: About): Promise<Finding[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
  const client = context.forge(forge, agent);
  try {
    const scopes = await client.tokenScopes(repository);
    // Without read:user an agent works all the same; that is told with whose token it is.
    const refused = (['issue', 'repository'] as const).filter((s) => scopes[s] === 'refused');
    const lacking = refused.map((s) =>
      scopeFinding(subject, `write:${s}`, `the forge refused a harmless call of the group “${s}”`),
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
        remedy: `See that ${login} is a collaborator with write access and its token has write:issue and write:repository.`,
      },
    ];
  }
}

/** A token that may not be asked its name sees of its own rights what the repository's answer says. */
async function ownPermission(client: Forge, repository: RepositoryRef, isNameless: boolean): Promise<string> {
  if (!isNameless) return await client.permissionOf(repository, await client.self());
  const { mayPush } = await client.findRepository(repository.fullName);
  return mayPush === false ? 'read' : 'unknown';
}

/** Only administrators of a repository see its hooks, and what another account may do in it. */
async function mayAsk({ context, forge, agent, repository }: About): Promise<boolean> {
  try {
    await context.forge(forge, agent).listHooks(repository);
    return true;
  } catch {
    return false;
  }
}

function noAdministrator(subject: string): Finding {
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
