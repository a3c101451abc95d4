import { readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/**
 * Renames `path` to `<prefix><n>` in the same folder, with n counting up, and deletes all but the newest `keep` of that
 * prefix. Answers the new path.
 */
export async function moveAside(path: string, prefix: string, keep: number): Promise<string> {
  const folder = dirname(path);
  const earlier = (await readdir(folder))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
  const aside = join(folder, `${prefix}${(earlier[0] ?? 0) + 1}`);
  await rename(path, aside);
  for (const n of earlier.slice(Math.max(0, keep - 1))) {
    await removeTree(join(folder, `${prefix}${n}`));
  }
  return aside;
}
