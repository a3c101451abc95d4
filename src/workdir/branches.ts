/**
 * Which branches a checkout, and a refresh of its mirror, fetch. That is all of them, as in a person's clone, until
 * listing them is most of the work: 30,000 branches cost 0.8 s in every step that reads or writes them.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A line of packed-refs is 41 or 65 bytes plus the name, so this limit is reached somewhere above 1,500 refs.
 */
const MANY_BYTES = 150_000;

export type Branches = { kind: 'all' } | { kind: 'named'; names: readonly string[] };

export async function branchesFor(mirror: string, names: readonly string[]): Promise<Branches> {
  const packed = await stat(join(mirror, 'packed-refs')).catch(() => null);
  return (packed?.size ?? 0) > MANY_BYTES ? { kind: 'named', names: [...new Set(names)] } : { kind: 'all' };
}

/** `into` is the folder of refs to fetch into: `refs/heads` or `refs/remotes/origin`. */
export function refspecsOf(branches: Branches, into: string): string[] {
  return branches.kind === 'all'
    ? [`+refs/heads/*:${into}/*`]
    : branches.names.map((name) => `+refs/heads/${name}:${into}/${name}`);
}

/** For the agent, where it does not see them all. */
export function branchNote(branches: Branches): string[] {
  if (branches.kind === 'all') return [];
  const shown = branches.names.map((name) => `origin/${name}`).join(' and ');
  return [
    `This repository has very many branches; of them the checkout follows ${shown}. Fetch another one by its name: git fetch origin <branch>:refs/remotes/origin/<branch>. What others have pushed to it may appear there up to 10 minutes later.`,
  ];
}
