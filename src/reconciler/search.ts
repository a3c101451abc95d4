/** Which items changed: one search for all repositories that an account reads, or one for each of a few owners. */
import type { ChangedItem, ChangedItems } from '../forges/changes.ts';
import type { NotOffered } from '../forges/not-offered.ts';
import { type LookDeps, type LookKind, sinceOf } from './looking.ts';
import type { Mark, Marks } from './marks.ts';
import { readersOf } from './repositories.ts';

/**
 * A forge may have public repositories of everybody, whose changes are none of ours. Up to so many owners are searched
 * one by one; more are searched all at once, as long as the answer does not grow too long.
 */
const FEW_OWNERS = 2;

export async function searchChanged(
  deps: LookDeps,
  marks: Marks & { forge: Mark },
  kind: LookKind,
): Promise<Pick<ChangedItems, 'items' | 'at'> | NotOffered> {
  const oldest = Math.min(marks.forge.mark, ...[...marks.repositories.values()].map(({ mark }) => mark));
  const since = sinceOf(oldest, deps.overlapMs);
  const items = new Map<string, ChangedItem>();
  let at: number | null = null;
  for (const agent of await readersOf(deps, marks, kind)) {
    const answer = await searchAs(deps, agent, since);
    if ('why' in answer) return answer;
    // The earliest: what changed since then is found by the next look.
    at = at === null || answer.at === null ? (answer.at ?? at) : Math.min(at, answer.at);
    for (const item of answer.items) items.set(`${item.repository.id}#${item.number}`, item);
  }
  return { items: [...items.values()], at };
}

async function searchAs(
  { client, forge }: LookDeps,
  agent: string,
  since: string,
): Promise<Pick<ChangedItems, 'items' | 'at'> | NotOffered> {
  const owners = new Set(forge.repositories.map(({ pattern }) => pattern.split('/')[0]!.toLowerCase()));
  if (owners.size > FEW_OWNERS) {
    const all = await client(agent).changedItems({ since, owner: null });
    if ('why' in all || !all.isCutShort) return all;
  }
  const items: ChangedItem[] = [];
  let at: number | null = null;
  for (const owner of owners) {
    const answer = await client(agent).changedItems({ since, owner });
    if ('why' in answer) return answer;
    at ??= answer.at;
    items.push(...answer.items);
  }
  return { items, at };
}
