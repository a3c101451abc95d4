/** Folders that set-up commands or agents have filled: walked without following a link. */
import { createHash } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { lstat, mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface Tree {
  /** changes with every name, kind, size, time, mode and link in it */
  digest: string;
  entries: number;
  /** on the disk */
  bytes: number;
}

export interface Entry {
  /** relative to the folder that is walked */
  path: string;
  found: Stats;
  /** of a link */
  target: string | null;
}

const BLOCK = 512;

/** Sorted, so that two walks of one tree say the same. */
export async function* entriesBelow(folder: string): AsyncGenerator<Entry> {
  const folders = [''];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const names = (await readdir(join(folder, at))).sort();
    const entries = await Promise.all(
      names.map((name) => entryOf(folder, at === '' ? name : `${at}/${name}`)),
    );
    for (const entry of entries) {
      if (entry.found.isDirectory()) folders.push(entry.path);
      yield entry;
    }
  }
}

async function entryOf(folder: string, path: string): Promise<Entry> {
  const found = await lstat(join(folder, path));
  return { path, found, target: found.isSymbolicLink() ? await readlink(join(folder, path)) : null };
}

export async function treeOf(folder: string): Promise<Tree> {
  const hash = createHash('sha256');
  let entries = 0;
  let bytes = 0;
  for await (const { path, found, target } of entriesBelow(folder)) {
    const { mode, size, mtimeMs, blocks } = found;
    hash.update(JSON.stringify([path, mode, target, found.isFile() ? [size, mtimeMs] : null]));
    entries += 1;
    bytes += blocks * BLOCK;
  }
  return { digest: hash.digest('hex'), entries, bytes };
}

/** What it has on the disk. Files that are removed meanwhile do not count. */
export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const entries: Dirent[] = await readdir(at, { withFileTypes: true }).catch(() => []);
    const sizes = await Promise.all(
      entries.map((entry) =>
        lstat(join(at, entry.name)).then(
          (s) => s.blocks * BLOCK,
          () => 0,
        ),
      ),
    );
    bytes += sizes.reduce((sum, size) => sum + size, 0);
    folders.push(...entries.filter((e) => e.isDirectory()).map((e) => join(at, e.name)));
  }
  return bytes;
}

/** What stands on the way to `path` and is no folder, a link for example; null = nothing does. */
export async function blockedAt(root: string, path: string): Promise<string | null> {
  let at = '';
  for (const part of path.split('/')) {
    at = at === '' ? part : `${at}/${part}`;
    const found = await lstat(join(root, at)).catch(() => null);
    if (found === null) return null;
    if (!found.isDirectory()) return at;
  }
  return null;
}

/** Makes the folders of `path` below `root`; false where something is in the way. */
export async function makeFolders(root: string, path: string): Promise<boolean> {
  if ((await blockedAt(root, path)) !== null) return false;
  await mkdir(join(root, path), { recursive: true });
  return true;
}
