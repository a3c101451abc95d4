/** The ecosystems at the door, by the first part of a path there. */
import type { EcosystemName } from '../vocabulary.ts';
import type { Ecosystem } from './ecosystem.ts';
import { crates } from './ecosystems/crates.ts';
import { go } from './ecosystems/go.ts';
import { maven } from './ecosystems/maven.ts';
import { pypi } from './ecosystems/pypi.ts';
import { npm } from './npm.ts';

export const AT_THE_DOOR: Readonly<Record<EcosystemName, Ecosystem>> = {
  npm,
  pypi,
  crates,
  go,
  maven,
};

export interface Addressed {
  ecosystem: Ecosystem;
  /** what follows its name */
  path: string;
}

/**
 * `/npm/left-pad` and so on. A path without such a beginning is npm's: old releases of npm ask for files at the top,
 * whatever the path of the registry is.
 */
export function addressedIn(path: string): Addressed | null {
  const match = /^\/([a-z]+)\/(.+)$/.exec(path);
  const first = match?.[1] ?? '';
  const named = Object.hasOwn(AT_THE_DOOR, first) ? AT_THE_DOOR[first as EcosystemName] : undefined;
  if (named?.parse(match![2]!) != null) return { ecosystem: named, path: match![2]! };
  if (npm.parse(path.slice(1))?.kind === 'artefact') return { ecosystem: npm, path: path.slice(1) };
  return named === undefined ? null : { ecosystem: named, path: match![2]! };
}
