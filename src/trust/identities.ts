/**
 * Who our accounts are: each agent's token is asked for its owner's name and id. Some tokens may not be asked (403:
 * they lack the scope, and some kinds cannot have it). Those count as the configured account until their first post
 * shows the author.
 */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import { sameLogin } from '../logins.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { AccountIds } from './sender.ts';
import { compared, type NamedOwner, ownerOfToken } from './token-owner.ts';

export type Identity =
  | { kind: 'ok'; id: number; login: string }
  /**
   * the forge does not say whose token it is; `id`: that of the account with the configured login, as far as it is
   * known
   */
  | { kind: 'assumed'; id: number | null; login: string; reason: string }
  /** the token belongs to another account, in whose name it would act */
  | { kind: 'wrong'; login: string; reason: string }
  | { kind: 'refused'; status: number; reason: string }
  | { kind: 'unavailable'; reason: string };

export type IdentityForge = Pick<Forge, 'self' | 'findRepository' | 'listRepositories' | 'listAssignable'>;

export interface IdentityReport {
  forge: string;
  agent: string;
  identity: Identity;
}

export interface IdentityDeps {
  forges: () => Readonly<Record<string, ForgeConfig>>;
  client: (forge: ForgeConfig, agent: string) => IdentityForge;
  now: () => number;
}

/** People repair a token on the forge without telling us, so a refusal is asked again after this long. */
const ASK_AGAIN_MS = 60_000;

interface Known {
  /** what was asked about; after a change of token or login it is asked anew */
  account: string;
  identity: Identity;
  at: number;
}

export class Identities {
  readonly #deps: IdentityDeps;
  readonly #known = new Map<string, Known>();
  /** authors of what we posted, by account */
  readonly #posted = new Map<string, ForgeUser>();

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

  /**
   * Asks when there is no answer yet, when the configuration names another token, and a minute after a refusal.
   */
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
    const answer = await ask(this.#deps.client(forge, agent), { forge, agent, login: account.login });
    const author = this.#posted.get(asked);
    const identity =
      author === undefined ? answer : judgeAuthor({ forge, agent, login: account.login }, author);
    this.#known.set(key, { account: asked, identity, at: this.#deps.now() });
    return identity;
  }

  /**
   * Notes the author of this agent's latest post. Answers the identity that this shows, or null when the author is
   * known already.
   */
  posted(forgeName: string, agent: string, author: ForgeUser): Identity | null {
    const forge = this.#deps.forges()[forgeName];
    const account = forge?.accounts[agent];
    if (forge === undefined || account === undefined) return null;
    const asked = accountKey(forge, account);
    if (this.#posted.get(asked)?.id === author.id) return null;
    this.#posted.set(asked, author);
    const identity = judgeAuthor({ forge, agent, login: account.login }, author);
    this.#known.set(JSON.stringify([forgeName, agent]), { account: asked, identity, at: this.#deps.now() });
    return identity;
  }

  /** Why nothing may be written as this agent; null = it may, as far as we know. */
  whyNotWrite(forgeName: string, agent: string): string | null {
    const forge = this.#deps.forges()[forgeName];
    const account = forge?.accounts[agent];
    const known = this.#known.get(JSON.stringify([forgeName, agent]));
    if (forge === undefined || account === undefined || known?.account !== accountKey(forge, account))
      return null;
    return known.identity.kind === 'wrong' ? known.identity.reason : null;
  }

  #isStale({ identity, at }: Known): boolean {
    if (identity.kind === 'ok') return false;
    return identity.kind === 'unavailable' || this.#deps.now() - at >= ASK_AGAIN_MS;
  }

  /** Ids of the accounts whose name is the configured one. */
  ids(forge: ForgeConfig): AccountIds {
    const ids = new Map<string, number>();
    for (const [agent, account] of Object.entries(forge.accounts)) {
      const known = this.#known.get(JSON.stringify([forge.name, agent]));
      if (known === undefined || known.account !== accountKey(forge, account)) continue;
      const { identity } = known;
      const id = identity.kind === 'ok' || identity.kind === 'assumed' ? identity.id : null;
      if (id !== null) ids.set(agent, id);
    }
    return ids;
  }
}

function accountKey(forge: ForgeConfig, account: { login: string; token: string }): string {
  return JSON.stringify([forge.url, account.login.toLowerCase(), account.token]);
}

interface Asked {
  forge: ForgeConfig;
  agent: string;
  /** as configured */
  login: string;
}

function judgeAuthor(asked: Asked, author: ForgeUser): Identity {
  return ofOwner(compared(author, asked.login), asked);
}

function ofOwner({ kind, user }: NamedOwner, { forge, agent, login }: Asked): Identity {
  if (kind === 'same') return { kind: 'ok', id: user.id, login: user.login };
  const option = `forges.${forge.name}.accounts.${agent}`;
  const reason =
    `agent ${agent} does not start: its token on ${forge.name} is that of ${user.login}, and ${option}.login is ` +
    `${login}. Give it the token of ${login}, or correct the login`;
  return { kind: 'wrong', login: user.login, reason };
}

async function ask(client: IdentityForge, asked: Asked): Promise<Identity> {
  const { forge, agent, login } = asked;
  const owner = await ownerOfToken(client, login);
  switch (owner.kind) {
    case 'same':
    case 'other':
      return ofOwner(owner, asked);
    case 'untold':
      return await assume(client, asked);
    case 'unavailable':
      return { kind: 'unavailable', reason: owner.said };
    case 'refused': {
      const { status } = owner;
      const remedy = `Make a new one and set forges.${forge.name}.accounts.${agent}.token`;
      const reason = `agent ${agent} does not start: ${forge.name} refuses its token (${status}). ${remedy}`;
      return { kind: 'refused', status, reason };
    }
  }
}

/** At most so many repositories are searched for one account. */
const MOST_LOOKED_AT = 5;

/**
 * The id is looked for among the people who may be assigned; it tells our account from others that use its name.
 */
async function assume(client: IdentityForge, { forge, agent, login }: Asked): Promise<Identity> {
  const option = `forges.${forge.name}.accounts.${agent}`;
  const { tokens } = kitOf(forge.kind);
  const reason =
    `the token of agent ${agent} on ${forge.name} may not be asked whose it is, so ${option}.login (${login}) is ` +
    `believed until its first post shows the author. Give it the scope ${tokens.self}; ${tokens.namelessKind} ` +
    'cannot have it';
  return { kind: 'assumed', id: await accountId(client, forge, login), login, reason };
}

async function accountId(client: IdentityForge, forge: ForgeConfig, login: string): Promise<number | null> {
  try {
    for (const name of (await namesOf(client, forge)).slice(0, MOST_LOOKED_AT)) {
      const found = await client.findRepository(name).catch(noRepository);
      if (found === null) continue;
      const listed = await client.listAssignable(found.repository);
      const account =
        listed.kind === 'people' ? listed.people.find((one) => sameLogin(one.login, login)) : undefined;
      if (account !== undefined) return account.id;
    }
  } catch (error) {
    // The next try is within a minute.
    if (!(error instanceof ForgeUnavailable || error instanceof ForgeRefused)) throw error;
  }
  return null;
}

function noRepository(error: unknown): null {
  if (error instanceof ForgeMissing || error instanceof ForgeRefused) return null;
  throw error;
}

async function namesOf(client: IdentityForge, forge: ForgeConfig): Promise<string[]> {
  const names: string[] = [];
  for (const { pattern } of forge.repositories) {
    if (!pattern.endsWith('/*')) names.push(pattern);
    else names.push(...(await client.listRepositories(pattern.slice(0, -2))));
  }
  return names;
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
