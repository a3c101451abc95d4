/** Whose token each agent has on each forge. The doctor, the smoke checks and the running service ask in one way. */
import type { ForgeConfig } from '../config/config.ts';
import type { Forge } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import type { Network } from '../network.ts';
import { ownerOfToken, type TokenOwner } from '../trust/token-owner.ts';
import type { Check } from './check.ts';
import { wayRemedy } from './way-remedies.ts';

export type IdentityCheck =
  | 'forge-token'
  | 'token-of-another-account'
  | 'token-refused'
  | 'token-without-name'
  | 'forge-unreachable';

export interface IdentityDeps {
  forge: (forge: ForgeConfig, agent: string) => Pick<Forge, 'self'>;
  network: Pick<Network, 'proxyFor'>;
}

export async function checkIdentity(
  forge: ForgeConfig,
  agent: string,
  deps: IdentityDeps,
): Promise<Check<IdentityCheck>> {
  const { login } = forge.accounts[agent]!;
  const owner = await ownerOfToken(deps.forge(forge, agent), login);
  const subject = `forge ${forge.name}, agent ${agent}`;
  return { subject, ...judge(owner, { forge, agent, login, network: deps.network }) };
}

interface Asked {
  forge: ForgeConfig;
  agent: string;
  login: string;
  network: IdentityDeps['network'];
}

function judge(owner: TokenOwner, asked: Asked): Omit<Check<IdentityCheck>, 'subject'> {
  const key = `forges.${asked.forge.name}.accounts.${asked.agent}`;
  const { tokens } = kitOf(asked.forge.kind);
  switch (owner.kind) {
    case 'same':
      return {
        check: 'forge-token',
        severity: 'ok',
        problem: '',
        evidence: `is ${owner.user.login}`,
        remedy: '',
      };
    case 'other':
      return {
        check: 'token-of-another-account',
        severity: 'broken',
        fault: 'refused',
        problem: 'the token belongs to another account than the configuration says',
        evidence: `the forge answers ${owner.user.login}, ${key}.login is ${asked.login}`,
        remedy: `Make a token for ${asked.login}, or correct ${key}.login.`,
      };
    case 'untold':
      return {
        check: 'token-without-name',
        severity: 'note',
        problem: `the token may not be asked whose it is, so ${key}.login is believed until its first post shows the author`,
        evidence: owner.said,
        remedy: `Make a token with ${tokens.scopes}. ${tokens.nameless}`,
      };
    case 'refused':
      return owner.status === 401
        ? unknownToken(key, owner.said)
        : { ...noAnswer(asked, owner.said), fault: 'refused' };
    case 'unavailable':
      return noAnswer(asked, owner.said);
  }
}

function unknownToken(key: string, said: string): Omit<Check<IdentityCheck>, 'subject'> {
  return {
    check: 'token-refused',
    severity: 'broken',
    fault: 'refused',
    problem: 'the forge does not know this token: it is mistyped, expired or was revoked',
    evidence: said,
    remedy: `Make a new token and put it into ${key}.token.`,
  };
}

function noAnswer({ forge, network }: Asked, said: string): Omit<Check<IdentityCheck>, 'subject'> {
  return {
    check: 'forge-unreachable',
    severity: 'broken',
    problem: 'the forge did not answer who the token belongs to',
    evidence: said,
    remedy:
      wayRemedy(network, forge.url, said) ??
      `Check that the forge is up, and that forges.${forge.name}.url leads to it.`,
  };
}
