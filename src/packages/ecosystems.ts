/** The ecosystems at the door, by the first part of a path there. */
import type { EcosystemName } from '../vocabulary.ts';
import type { Ecosystem } from './ecosystem.ts';
import { npm } from './npm.ts';

export const AT_THE_DOOR: Readonly<Partial<Record<EcosystemName, Ecosystem>>> = { npm };

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
  const named = match === null ? undefined : AT_THE_DOOR[match[1] as EcosystemName];
  if (named?.parse(match![2]!) != null) return { ecosystem: named, path: match![2]! };
  if (npm.parse(path.slice(1))?.kind === 'artefact') return { ecosystem: npm, path: path.slice(1) };
  return named === undefined ? null : { ecosystem: named, path: match![2]! };
}
