/** Who our accounts are: each agent's token, asked for its own name and id. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forge/forge.ts';
import type { AccountIds } from './sender.ts';
import { sameLogin } from './sender.ts';

export type Identity =
  | { kind: 'ok'; id: number; login: string }
  /** the token is another account's: what it does would be done in that name */
  | { kind: 'wrong'; login: string; reason: string }
  | { kind: 'refused'; status: number; reason: string }
  | { kind: 'unavailable'; reason: string };

export interface IdentityReport {
  forge: string;
  agent: string;
  identity: Identity;
}

export interface IdentityDeps {
  forges: () => Readonly<Record<string, ForgeConfig>>;
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'self'>;
  now: () => number;
}

/** A person mends a token on the forge without telling us: what was refused is asked for again after this long. */
const ASK_AGAIN_MS = 60_000;

interface Known {
  /** what was asked about; another token or login is another question */
  account: string;
  identity: Identity;
  at: number;
}

export class Identities {
  readonly #deps: IdentityDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
  }

  async check(): Promise<IdentityReport[]> {
    const pairs = Object.values(this.#deps.forges()).flatMap((forge) =>
      Object.keys(forge.accounts).map((agent) => ({ forge: forge.name, agent })),
    );
    return await Promise.all(
      pairs.map(async (pair) => ({ ...pair, identity: await this.of(pair.forge, pair.agent) })),
    );
  }

  /** Asks when it was never answered, when the configuration names another token, and a minute after a refusal. */
  async of(forgeName: string, agent: string): Promise<Identity> {
    const forge = this.#deps.forges()[forgeName];
    const account = forge?.accounts[agent];
    if (forge === undefined || account === undefined) {
      const reason = `agent ${agent} has no account on ${forgeName}; add forges.${forgeName}.accounts.${agent}`;
      return { kind: 'unavailable', reason };
    }
    const key = JSON.stringify([forgeName, agent]);
    const asked = accountKey(forge, account);
    const known = this.#known.get(key);
    if (known !== undefined && known.account === asked && !this.#isStale(known)) return known.identity;
    const identity = await ask(this.#deps.client(forge, agent), { forge, agent, login: account.login });
    this.#known.set(key, { account: asked, identity, at: this.#deps.now() });
    return identity;
  }

  #isStale({ identity, at }: Known): boolean {
    if (identity.kind === 'ok') return false;
    return identity.kind === 'unavailable' || this.#deps.now() - at >= ASK_AGAIN_MS;
  }

  /** Of the accounts that answered to the name they are configured with. */
  ids(forge: ForgeConfig): AccountIds {
    const ids = new Map<string, number>();
    for (const [agent, account] of Object.entries(forge.accounts)) {
      const known = this.#known.get(JSON.stringify([forge.name, agent]));
      if (known?.identity.kind === 'ok' && known.account === accountKey(forge, account)) {
        ids.set(agent, known.identity.id);
      }
    }
    return ids;
  }
}

function accountKey(forge: ForgeConfig, account: { login: string; token: string }): string {
  return JSON.stringify([forge.url, account.login.toLowerCase(), account.token]);
}

async function ask(
  client: Pick<Forge, 'self'>,
  { forge, agent, login }: { forge: ForgeConfig; agent: string; login: string },
): Promise<Identity> {
  const option = `forges.${forge.name}.accounts.${agent}`;
  try {
    const self = await client.self();
    if (sameLogin(self.login, login)) return { kind: 'ok', id: self.id, login: self.login };
    const reason =
      `agent ${agent} does not start: its token on ${forge.name} is that of ${self.login}, and ${option}.login is ` +
      `${login}. Give it the token of ${login}, or correct the login`;
    return { kind: 'wrong', login: self.login, reason };
  } catch (error) {
    if (error instanceof ForgeUnavailable || error instanceof ForgeMissing) {
      return { kind: 'unavailable', reason: error.message };
    }
    if (!(error instanceof ForgeRefused)) throw error;
    const remedy =
      error.status === 403
        ? 'Give the token read permission for the user as well (scope read:user)'
        : `Make a new one and set ${option}.token`;
    const reason = `agent ${agent} does not start: ${forge.name} refuses its token (${error.status}). ${remedy}`;
    return { kind: 'refused', status: error.status, reason };
  }
}

/** Sentences about agents that cannot be told apart on the forge. */
export function sharedAccounts(reports: readonly IdentityReport[]): string[] {
  const agents = new Map<string, IdentityReport[]>();
  for (const report of reports) {
    if (report.identity.kind !== 'ok') continue;
    const key = JSON.stringify([report.forge, report.identity.id]);
    agents.set(key, [...(agents.get(key) ?? []), report]);
  }
  return [...agents.values()]
    .filter((sharing) => sharing.length > 1)
    .map((sharing) => {
      const names = sharing.map((r) => r.agent).join(' and ');
      return (
        `agents ${names} share one account on ${sharing[0]!.forge}: none of them is woken by what the other does, ` +
        'and nobody can see which of them wrote. Give each an account of its own'
      );
    });
}
