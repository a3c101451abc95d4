import { randomUUID } from 'node:crypto';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A path of 4096 bytes holds this many names of 255 bytes, and leaves room for the tree's own path. */
const LEVELS = 12;

/**
 * Deletes trees that an agent may have made: with folders without permissions, and folders nested deeper than a path
 * can be long. Links are not followed.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // guard: checkout: folders without a bottom, part 2
    if (code === 'ENAMETOOLONG') await moveUp(path);
    else if (['EACCES', 'EPERM'].includes(code)) await openFolders(path);
    else throw error;
    await rm(path, { recursive: true, force: true });
  }
}

/** Deep folders are moved to the top, again and again, until none is deep. */
async function moveUp(path: string): Promise<void> {
  for (;;) {
    const deep = await foldersAt(path, LEVELS);
    if (deep.length === 0) return;
    for (const folder of deep) await rename(folder, join(path, `.up-${randomUUID()}`));
  }
}

async function foldersAt(path: string, levels: number): Promise<string[]> {
  if (levels === 0) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = entries.filter((e) => e.isDirectory()).map((e) => foldersAt(join(path, e.name), levels - 1));
  return (await Promise.all(below)).flat();
}

async function openFolders(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}
