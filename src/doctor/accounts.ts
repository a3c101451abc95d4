/** Each agent's token on each forge: whose it is, what it may do, and what falls back when it may not. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeRefused } from '../errors.ts';
import type { DoctorContext } from './contract.ts';
import type { Finding } from './finding.ts';
import { lookAt, repositoriesOf } from './repositories.ts';

export async function checkAccounts(context: DoctorContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const forge of Object.values(context.config.forges)) {
    for (const agent of Object.keys(forge.accounts)) {
      findings.push(...(await checkIdentity(context, forge, agent)));
    }
    for (const fullName of await repositoriesOf(context, forge)) {
      findings.push(...(await checkAccess(context, forge, fullName)));
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
    return [identityProblem(subject, key, error as Error)];
  }
}

function identityProblem(subject: string, key: string, error: Error): Finding {
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
  if (status === 403) return scopeFinding(subject, 'read:user', error.message);
  return {
    check: 'forge-unreachable',
    severity: 'broken',
    subject,
    problem: 'the forge did not answer who the token belongs to',
    evidence: error.message,
    remedy: 'Check that the forge is up, and that its url in the configuration leads to it.',
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

async function checkAccess(context: DoctorContext, forge: ForgeConfig, fullName: string): Promise<Finding[]> {
  const subject = `forge ${forge.name}, ${fullName}`;
  const visible = await lookAt(forge, fullName);
  if ('problem' in visible) {
    // A forge that does not answer is told once for each account.
    if (!visible.answered) return [];
    return [
      {
        check: 'repository-invisible',
        severity: 'broken',
        subject,
        problem: 'no account of our agents may see this repository',
        evidence: visible.problem,
        remedy: `Add the agents’ accounts to ${fullName} with write access, or take it out of forges.${forge.name}.repositories.`,
      },
    ];
  }
  const findings: Finding[] = [];
  let askers = 0;
  for (const [agent, { login }] of Object.entries(forge.accounts)) {
    const about = { context, forge, agent, login, repository: visible.repository };
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
  repository: { id: string; fullName: string };
}

async function checkRights({ context, forge, agent, login, repository }: About): Promise<Finding[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}, agent ${agent}`;
  const client = context.forge(forge, agent);
  try {
    const scopes = await client.tokenScopes(repository);
    const refused = (['user', 'issue', 'repository'] as const).filter((s) => scopes[s] === 'refused');
    const lacking = refused.map((s) =>
      scopeFinding(
        subject,
        s === 'user' ? 'read:user' : `write:${s}`,
        `the forge refused a harmless call of the group “${s}”`,
      ),
    );
    if (lacking.length > 0) return lacking;
    const own = await client.permissionOf(repository, await client.self());
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
