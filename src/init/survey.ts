/** What is on the forge already, of all that was wished for. Reads; throws InitRefused where there is no use in going on. */
import { dirname, join } from 'node:path';
import { ForgeMissing, ForgeRefused, ForgeUnavailable, isForgesAnswer } from '../errors.ts';
import type { Forge, ForgeHook } from '../forges/forge.ts';
import { findKit, kitOf, SET_UP_KINDS } from '../forges/registry.ts';
import type { ForgeSetup, HookPlace } from '../forges/setup.ts';
import { sameLogin } from '../logins.ts';
import type { Permission, RepositoryRef } from '../vocabulary.ts';
import { readSecret, secretPaths } from './private-files.ts';
import { InitRefused } from './refusal.ts';
import type { WantedAgent, Wish } from './wish.ts';

export interface Found {
  /** how to name it to people: its kind and its version */
  forge: string;
  kind: string;
  administrator: { login: string; isSiteAdmin: boolean };
  repositories: FoundRepository[];
  agents: FoundAgent[];
  hooks: { place: HookPlace; hooks: ForgeHook[] }[];
  /** the secret of the hooks is in its file */
  hasHookSecret: boolean;
}

export interface FoundRepository {
  repository: RepositoryRef;
  mayAdminister: boolean;
  labels: string[];
  permissions: { login: string; permission: Permission }[];
}

export interface FoundAgent extends WantedAgent {
  /** null: there is no such account; `mail` is '' where the forge hides it */
  account: { mail: string } | null;
  /** of the token that was given, or is in its file */
  state: TokenState;
  /** a new one was given, and is not in its file yet */
  isGiven: boolean;
}

/** `problem` is a sentence without its full stop */
export type TokenState = { kind: 'good' | 'none' } | { kind: 'bad'; problem: string };

export interface Ways {
  setup: ForgeSetup;
  client: (token: string) => Forge;
}

export async function survey(wish: Wish, ways: Ways): Promise<Found> {
  try {
    return await look(wish, ways);
  } catch (error) {
    if (!(error instanceof ForgeRefused) || error.status !== 403) throw error;
    throw new InitRefused({
      code: 'admin-token-scope',
      problem: `the administrator's token may not even read what is there: ${error.message}`,
      remedy: `Make one with ${findKit(wish.kind ?? SET_UP_KINDS[0]!)?.tokens.administrator}.`,
    });
  }
}

async function look(wish: Wish, ways: Ways): Promise<Found> {
  const { setup } = ways;
  const { version, kind } = await askVersion(wish, setup);
  const administrator = await askAdministrator(wish, { setup, kind });
  const repositories = await findRepositories(wish, setup);
  const refs = repositories.map(({ repository }) => repository);
  const agents: FoundAgent[] = [];
  for (const agent of wish.agents) agents.push(await findAgent(wish, agent, { ways, refs, kind }));
  const hooks: Found['hooks'] = [];
  for (const place of placesOf(wish, refs)) {
    hooks.push({ place, hooks: await hooksAt(setup, place) });
  }
  const webhook = readSecret(join(dirname(wish.file), secretPaths(wish.forge).webhook));
  const forge = `${findKit(kind)?.title ?? kind} ${version}`;
  return { forge, kind, administrator, repositories, agents, hooks, hasHookSecret: webhook !== null };
}

async function askVersion(wish: Wish, setup: ForgeSetup): Promise<{ version: string; kind: string }> {
  const { version, kind, tooOld } = await setup.version().catch((error: unknown) => {
    throw error instanceof ForgeRefused && error.status === 401
      ? unknownToken(wish)
      : notThere(wish.url, error);
  });
  if (wish.kind !== null && wish.kind !== kind) {
    throw new InitRefused({
      code: 'wrong-kind',
      problem: `${wish.url} is ${findKit(kind)?.title ?? kind} ${version}, not ${findKit(wish.kind)?.title ?? wish.kind}`,
      remedy: `Leave --kind out, or give --kind ${kind}.`,
    });
  }
  if (tooOld !== null) {
    throw new InitRefused({
      code: 'version-too-old',
      problem: `${wish.url} is ${findKit(kind)?.title ?? kind} ${version}, and the oldest that works is ${tooOld}`,
      remedy: 'Update the forge.',
    });
  }
  return { version, kind };
}

function notThere(url: string, error: unknown): unknown {
  if (!isForgesAnswer(error)) return error;
  const isSilent = error instanceof ForgeUnavailable && error.status === null;
  return new InitRefused(
    isSilent
      ? {
          code: 'forge-unreachable',
          problem: `there is no answer from ${url}`,
          remedy: error.message,
        }
      : {
          code: 'wrong-address',
          problem: `what answers at ${url} is no ${SET_UP_KINDS.map((kind) => kitOf(kind).title).join(' or ')}`,
          remedy: `Give --url as people open the forge in a browser, with its sub path if it has one. ${error.message}`,
        },
  );
}

async function askAdministrator(
  wish: Wish,
  { setup, kind }: { setup: ForgeSetup; kind: string },
): Promise<Found['administrator']> {
  const words = findKit(kind)?.tokens.administrator ?? '';
  try {
    return await setup.administrator();
  } catch (error) {
    if (!(error instanceof ForgeRefused)) throw error;
    if (error.status === 403) {
      throw new InitRefused({
        code: 'admin-token-scope',
        problem: `the administrator's token may not be asked whose it is (${findKit(kind)?.tokens.self})`,
        remedy: `Make one with ${words}.`,
      });
    }
    throw unknownToken(wish);
  }
}

function unknownToken({ url, kind }: Wish): InitRefused {
  const words = findKit(kind ?? SET_UP_KINDS[0]!)?.tokens.administrator;
  return new InitRefused({
    code: 'admin-token-refused',
    problem: `${url} does not know the administrator's token: it is mistyped, expired or was revoked`,
    remedy: `Make a new one, as an administrator of the forge, with ${words}.`,
  });
}

async function findRepositories(wish: Wish, setup: ForgeSetup): Promise<FoundRepository[]> {
  const names: string[] = [];
  for (const pattern of wish.repositories) {
    if (!pattern.endsWith('/*')) names.push(pattern);
    else {
      const listed = await setup.listRepositories(pattern.slice(0, -2));
      if (listed.length === 0) {
        throw new InitRefused({
          code: 'no-repositories',
          problem: `${pattern} names no repository that the administrator sees`,
          remedy: 'Check the name of the owner, or make a repository first.',
        });
      }
      names.push(...listed);
    }
  }
  const found: FoundRepository[] = [];
  for (const name of new Set(names)) found.push(await findRepository(wish, setup, name));
  return found;
}

async function findRepository(wish: Wish, setup: ForgeSetup, name: string): Promise<FoundRepository> {
  try {
    const { repository, mayAdminister } = await setup.findRepository(name);
    const labels = (await setup.listLabels(repository)).map((label) => label.name);
    if (!mayAdminister) return { repository, mayAdminister, labels, permissions: [] };
    const permissions: FoundRepository['permissions'] = [];
    for (const login of new Set(wish.agents.map((agent) => agent.login))) {
      permissions.push({ login, permission: await setup.permissionOf(repository, login) });
    }
    return { repository, mayAdminister, labels, permissions };
  } catch (error) {
    if (!(error instanceof ForgeMissing)) throw error;
    throw new InitRefused({
      code: 'repository-missing',
      problem: `there is no repository ${name}, or the administrator may not see it`,
      remedy: 'Check the name with --repositories, or use the token of an administrator who sees it.',
    });
  }
}

interface AgentContext {
  ways: Ways;
  refs: RepositoryRef[];
  kind: string;
}

async function findAgent(wish: Wish, agent: WantedAgent, context: AgentContext): Promise<FoundAgent> {
  const account = await context.ways.setup.findAccount(agent.login);
  const file = join(dirname(wish.file), secretPaths(wish.forge).token(agent.agent));
  const kept = readSecret(file);
  const token = agent.token ?? kept;
  const state =
    token === null || account === null ? { kind: 'none' as const } : await judge(agent, token, context);
  return { ...agent, account, state, isGiven: agent.token !== null && agent.token !== kept };
}

async function judge(
  agent: WantedAgent,
  token: string,
  { ways, refs, kind }: AgentContext,
): Promise<TokenState> {
  const client = ways.client(token);
  const words = findKit(kind)!.tokens;
  try {
    const { login } = await client.self();
    if (!sameLogin(login, agent.login)) {
      return { kind: 'bad', problem: `the token of ${agent.agent} is of ${login}, not of ${agent.login}` };
    }
    const [repository] = refs;
    if (repository === undefined) return { kind: 'good' };
    const scopes = await client.tokenScopes(repository);
    const lacking = (['issue', 'repository'] as const).filter((group) => scopes[group] === 'refused');
    if (lacking.length === 0) return { kind: 'good' };
    const named = lacking.map((group) => words[group]).join(' and ');
    return { kind: 'bad', problem: `the token of ${agent.login} lacks the scope ${named}` };
  } catch (error) {
    if (!(error instanceof ForgeRefused)) throw error;
    const problem =
      error.status === 403
        ? `the token of ${agent.login} lacks the scope ${words.self}`
        : `the forge does not know the token of ${agent.login}`;
    return { kind: 'bad', problem };
  }
}

function placesOf(wish: Wish, refs: readonly RepositoryRef[]): HookPlace[] {
  switch (wish.hook.level) {
    case 'none':
      return [];
    case 'system':
      return [{ level: 'system' }];
    case 'repository':
      return refs.map((repository) => ({ level: 'repository', repository }));
    case 'owner': {
      const owners = new Set(refs.map(({ fullName }) => fullName.split('/')[0]!));
      return [...owners].map((owner) => ({ level: 'owner', owner }));
    }
  }
}

/** Whoever may not read the hooks may not make one either; the plan says so. */
async function hooksAt(setup: ForgeSetup, place: HookPlace): Promise<ForgeHook[]> {
  try {
    return await setup.listHooksAt(place);
  } catch (error) {
    if (error instanceof ForgeRefused && error.status === 403) return [];
    throw error;
  }
}
