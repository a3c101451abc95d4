/** Which repositories can be looked at, under which name, and as whom. Found once for all checks. */
import type { ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import { ForgeUnavailable, isForgesAnswer } from '../errors.ts';
import type { ForgeHook } from '../forges/forge.ts';
import { firstAnswer } from '../trust/first-account.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { DoctorContext, FindSites, Site, Sites, Visible } from './context.ts';

/** Repositories of one forge that are looked at: each costs requests for each account. */
const MOST_SITES = 30;

/** Asks once per forge, however many checks look. */
export function siteFinder(context: Omit<DoctorContext, 'sites'>): FindSites {
  const known = new Map<string, Promise<Sites>>();
  return (forge) => {
    const asked = known.get(forge.name) ?? findSites(context, forge);
    known.set(forge.name, asked);
    return asked;
  };
}

type Asking = Omit<DoctorContext, 'sites'>;

async function findSites(context: Asking, forge: ForgeConfig): Promise<Sites> {
  const named = forge.repositories.map(({ pattern }) => pattern).filter((pattern) => !pattern.endsWith('/*'));
  const owners = forge.repositories.map(({ pattern }) => pattern).filter((pattern) => pattern.endsWith('/*'));
  const worked = await workedOn(context, forge);
  const names = new Map(named.map((name) => [name.toLowerCase(), { name, isNamed: true }]));
  const empty: string[] = [];
  for (const pattern of owners) {
    const owner = pattern.slice(0, -2).toLowerCase();
    const ofOwner = worked.filter((name) => name.toLowerCase().startsWith(`${owner}/`));
    const found = [...ofOwner, ...(await listed(context, forge, owner))];
    if (found.length === 0) empty.push(pattern);
    for (const name of found) {
      if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), { name, isNamed: false });
    }
  }
  const all = [...names.values()];
  const sites: Site[] = [];
  for (const one of all.slice(0, MOST_SITES))
    sites.push({ ...one, seen: await lookAt(context, forge, one.name) });
  return { sites, empty, leftOut: Math.max(0, all.length - MOST_SITES) };
}

/** Repositories that a conversation is about, by the name they have today. Deleted ones are left out. */
async function workedOn(context: Asking, forge: ForgeConfig): Promise<string[]> {
  const rows = await context.rows
    ?.selectFrom('conversations')
    .select(['repository_id', 'repository_name'])
    .distinct()
    .where('forge', '=', forge.name)
    .execute();
  const names: string[] = [];
  const seen = new Set<string>();
  for (const { repository_id: id, repository_name: fullName } of rows ?? []) {
    if (seen.has(id) || seen.size >= MOST_SITES) continue;
    seen.add(id);
    const now = await firstAnswer(forge, (agent) =>
      context.forge(forge, agent).getRepository({ id, fullName }),
    ).catch(orNull);
    if (now !== null && isListed(forge, now.fullName)) names.push(now.fullName);
  }
  return names;
}

async function listed(context: Asking, forge: ForgeConfig, owner: string): Promise<string[]> {
  const names: string[] = [];
  for (const agent of Object.keys(forge.accounts)) {
    const found = await context.forge(forge, agent).listRepositories(owner).catch(orNull);
    names.push(...(found ?? []));
  }
  return names;
}

/** null: the forge gave no answer. checkIdentity tells of that, once for each account. */
function orNull(error: unknown): null {
  if (isForgesAnswer(error)) return null;
  throw error;
}

async function lookAt(context: Asking, forge: ForgeConfig, fullName: string): Promise<Site['seen']> {
  let problem = 'no account is configured';
  let answered = true;
  for (const agent of Object.keys(forge.accounts)) {
    try {
      const found = await context.forge(forge, agent).findRepository(fullName);
      return { ...found, cloneUrl: withoutPassword(found.cloneUrl), agent };
    } catch (error) {
      problem = (error as Error).message;
      answered = !(error instanceof ForgeUnavailable);
    }
  }
  return { problem, answered };
}

/** The address is printed, so user and password are left out. */
export function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return '(no address)';
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
}

/** What an account of ours sees, each once. */
export async function visibleSites(context: DoctorContext, forge: ForgeConfig): Promise<Visible[]> {
  const byId = new Map<string, Visible>();
  for (const { seen } of (await context.sites(forge)).sites) {
    if (!('problem' in seen) && !byId.has(seen.repository.id)) byId.set(seen.repository.id, seen);
  }
  return [...byId.values()];
}

/** Hooks are shown to administrators of the repository only; each of our accounts is tried. */
export async function hooksOf(
  context: DoctorContext,
  forge: ForgeConfig,
  repository: RepositoryRef,
): Promise<{ hooks: ForgeHook[]; agent: string } | { problem: string }> {
  let problem = 'no account is configured';
  for (const agent of Object.keys(forge.accounts)) {
    try {
      return { hooks: await context.forge(forge, agent).listHooks(repository), agent };
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { problem };
}
