/** The name of a layer: equal exactly where the same commands would make the same things. Pure. */
import { createHash } from 'node:crypto';
import type { ContainerSpec } from '../container/container.ts';
import { type Recipe, shownPath } from './recipe.ts';

/** Counts up when the same commands would be run in another way. */
const VERSION = 1;

export interface KeyParts {
  /** of the repository: two never share a layer */
  repository: { forge: string; id: string };
  /** the checkout's folder: its path stands in what tools make */
  checkoutName: string;
  /** kind of engine, and the content it runs in */
  engine: string;
  system: string;
  user: ContainerSpec['user'];
  recipe: Pick<Recipe, 'commands' | 'keep' | 'lockFiles'>;
  /** git's names of the contents of `lockFiles` at the base; what is missing there is not in it */
  locks: ReadonlyMap<string, string>;
  /** of the repository's own file; null = the configuration speaks */
  setupFile: string | null;
}

export function layerKey(parts: KeyParts): string {
  const { repository, checkoutName, engine, system, user, recipe, locks, setupFile } = parts;
  const text = JSON.stringify([
    VERSION,
    [repository.forge, repository.id, checkoutName],
    [engine, system, user === null ? null : [user.uid, user.gid]],
    recipe.commands,
    recipe.keep.map(shownPath),
    recipe.lockFiles.map((path) => [path, locks.get(path) ?? null]),
    setupFile,
  ]);
  return createHash('sha256').update(text).digest('hex');
}
