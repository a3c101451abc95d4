/** Reads files of an agent's folders without following a link. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { constants, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export type Found =
  | { kind: 'none' }
  | { kind: 'folder' }
  | { kind: 'file'; bytes: Buffer; mode: number }
  | { kind: 'link'; target: string }
  /** a device, a pipe, or a file that cannot be read */
  | { kind: 'odd' };

/** Bytes. A larger file is no text for a model, and counts as `odd`. */
const LARGEST = 16 * 1024 * 1024;

export async function look(path: string): Promise<Found> {
  try {
    const s = await lstat(path);
    if (s.isDirectory()) return { kind: 'folder' };
    if (s.isSymbolicLink()) return { kind: 'link', target: await readlink(path) };
    if (!s.isFile() || s.size > LARGEST) return { kind: 'odd' };
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const opened = await file.stat();
      if (!opened.isFile()) return { kind: 'odd' };
      return { kind: 'file', bytes: await file.readFile(), mode: opened.mode & 0o777 };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return ['ENOENT', 'ENOTDIR'].includes(code) ? { kind: 'none' } : { kind: 'odd' };
  }
}

/** Every path below `root` that `wanted` takes, folders themselves not among them. Links are not followed. */
export async function* pathsBelow(
  root: string,
  wanted: (path: string, isLink: boolean) => boolean,
  enters: (path: string) => boolean,
): AsyncGenerator<string> {
  const folders = [''];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await entriesOf(join(root, at))) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory() && enters(path)) folders.push(path);
      else if (!entry.isDirectory() && wanted(path, entry.isSymbolicLink())) yield path;
    }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // Deeper than a path can be: the CLI cannot read there either.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES'].includes(code)) return [];
    throw error;
  }
}

/** Git's name of a content, to compare it with what a commit has. */
export function blobId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** False if a parent is a link or a file: a write there would land elsewhere. */
export async function hasRealParents(root: string, path: string): Promise<boolean> {
  const parts = path.split('/').slice(0, -1);
  for (let n = 1; n <= parts.length; n += 1) {
    const s = await lstat(join(root, ...parts.slice(0, n))).catch(() => null);
    if (s !== null && !s.isDirectory()) return false;
  }
  return true;
}
