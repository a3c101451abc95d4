/** Which repositories are looked at, and through whose account. */
import { isListed } from '../config/listed-repositories.ts';
import { ForgeMissing, ForgeRefused } from '../errors.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { LookDeps, LookKind } from './looking.ts';
import type { Marks } from './marks.ts';

/**
 * The accounts that search. The first one reads what it sees; a repository that the configuration names and it does not see
 * is read by the first account that does. For `owner/*` that is the first account alone.
 */
export async function readersOf(
  deps: LookDeps,
  marks: Pick<Marks, 'repositories'>,
  kind: LookKind,
): Promise<string[]> {
  const [first] = Object.keys(deps.forge.accounts);
  if (first === undefined) return [];
  if (kind === 'full') await findNamed(deps, marks);
  const others = [...deps.memory.named.values()].map(({ reader }) => reader);
  return [...new Set([first, ...others])];
}

/** Asks once for each name as long as the service runs. */
async function findNamed({ forge, client, memory, log }: LookDeps, marks: Pick<Marks, 'repositories'>) {
  const known = new Map(
    [...marks.repositories.values()].map((m) => [m.repository.fullName.toLowerCase(), m]),
  );
  const [first] = Object.keys(forge.accounts);
  for (const { pattern } of forge.repositories) {
    const name = pattern.toLowerCase();
    if (pattern.endsWith('/*') || memory.named.has(name)) continue;
    const before = known.get(name);
    // Its items have been read, so the first account sees it, or the look says that it does not.
    if (before !== undefined) {
      memory.named.set(name, { repository: before.repository, reader: first! });
      continue;
    }
    const found = await findOne(Object.keys(forge.accounts), client, pattern);
    if (found === null) log.warn(`the reconciler finds no repository ${pattern} on ${forge.name}. ${REMEDY}`);
    else memory.named.set(name, found);
  }
}

const REMEDY = "Give an agent's account access to it, or take it out of `repositories`.";

async function findOne(agents: string[], client: LookDeps['client'], name: string) {
  for (const reader of agents) {
    try {
      const { repository } = await client(reader).findRepository(name);
      return { repository, reader };
    } catch (error) {
      if (!(error instanceof ForgeMissing || error instanceof ForgeRefused)) throw error;
    }
  }
  return null;
}

export interface ReadRepository {
  repository: RepositoryRef;
  reader: string;
}

/** Those that are known by id: named ones, and those that something has happened in. */
export function knownRepositories(
  { forge, memory }: Pick<LookDeps, 'forge' | 'memory'>,
  marks: Pick<Marks, 'repositories'>,
): ReadRepository[] {
  const [first = ''] = Object.keys(forge.accounts);
  const found = new Map<string, ReadRepository>();
  for (const { repository } of marks.repositories.values()) {
    if (isListed(forge, repository.fullName)) found.set(repository.id, { repository, reader: first });
  }
  for (const named of memory.named.values()) found.set(named.repository.id, named);
  return [...found.values()];
}

export function readerOf(deps: Pick<LookDeps, 'forge' | 'memory'>, repository: RepositoryRef): string {
  const named = [...deps.memory.named.values()].find((one) => one.repository.id === repository.id);
  return named?.reader ?? Object.keys(deps.forge.accounts)[0]!;
}
