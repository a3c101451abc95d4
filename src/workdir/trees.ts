/** A checkout and a commit, each read as a tree of names. Each folder is read once. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOf, type Tree, type TreeEntry } from './imports.ts';

/** Tracked and untracked files; links are not followed, and `.git` is left out. */
export function treeOfFolder(root: string): Tree {
  const known = new Map<string, Promise<TreeEntry[]>>();
  const read = async (folder: string): Promise<TreeEntry[]> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    return entries
      .filter((e) => e.name !== '.git')
      .map((e) => {
        const kind = e.isDirectory() ? 'folder' : e.isSymbolicLink() ? 'link' : 'file';
        return { name: e.name, key: keyOf(e.name), kind };
      });
  };
  return {
    list: (folder) => {
      const listed = known.get(folder) ?? read(folder);
      known.set(folder, listed);
      return listed;
    },
  };
}

export function treeOfEntries(entries: ReadonlyMap<string, { mode: string }>): Tree {
  const folders = new Map<string, Map<string, TreeEntry>>();
  const put = (path: string, kind: TreeEntry['kind']): void => {
    const slash = path.lastIndexOf('/');
    const parent = path.slice(0, Math.max(slash, 0));
    const name = path.slice(slash + 1);
    const known = folders.get(parent);
    if (known?.has(name)) return;
    const names = known ?? new Map<string, TreeEntry>();
    names.set(name, { name, key: keyOf(name), kind });
    folders.set(parent, names);
    if (parent !== '') put(parent, 'folder');
  };
  for (const [path, { mode }] of entries) put(path, mode === '120000' ? 'link' : 'file');
  return { list: async (folder) => [...(folders.get(folder)?.values() ?? [])] };
}

/** False where a parent is a link or a file: what is written there would end up elsewhere. */
export async function hasRealParents(checkout: string, path: string): Promise<boolean> {
  const parts = path.split('/').slice(0, -1);
  for (let n = 1; n <= parts.length; n += 1) {
    const s = await lstat(join(checkout, ...parts.slice(0, n))).catch(() => null);
    if (s !== null && !s.isDirectory()) return false;
  }
  return true;
}
