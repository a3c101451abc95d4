/**
 * A layer on the disk: `ready/<key>` with a folder for each kept path, named by its number, and a manifest that says what
 * is in them. It comes there whole, by one rename, and nobody writes it afterwards.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptPath } from './recipe.ts';
import { type Tree, treeOf } from './tree.ts';

export interface Manifest {
  /** a UUID: two builds of one key differ */
  id: string;
  key: string;
  kept: (KeptPath & Tree & { n: number })[];
}

export interface LayerOnDisk extends Manifest {
  folder: string;
}

const FILE = 'manifest.json';

export function manifestPath(folder: string): string {
  return join(folder, FILE);
}

export function readyFolder(root: string, key: string): string {
  return join(root, 'ready', key);
}

export function bytesOf({ kept }: Manifest): number {
  return kept.reduce((sum, { bytes }) => sum + bytes, 0);
}

export type Found =
  | { kind: 'whole'; layer: LayerOnDisk }
  | { kind: 'none' }
  /** `why`: a clause */
  | { kind: 'broken'; why: string };

/** Looks at every name, size and time in it. Contents are not read. */
export async function findLayer(root: string, key: string): Promise<Found> {
  const folder = readyFolder(root, key);
  const text = await readFile(manifestPath(folder), 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== 'string') {
    return text.code === 'ENOENT' && !(await exists(folder))
      ? { kind: 'none' }
      : { kind: 'broken', why: 'its manifest cannot be read' };
  }
  try {
    const manifest = JSON.parse(text) as Manifest;
    // guard: layers: a broken layer is found
    for (const { n, root: place, path, digest } of manifest.kept) {
      const now = await treeOf(join(folder, String(n)));
      if (now.digest !== digest) return { kind: 'broken', why: `${place} ${path} is not as it was made` };
    }
    return { kind: 'whole', layer: { ...manifest, folder } };
  } catch (error) {
    return { kind: 'broken', why: String(error) };
  }
}

async function exists(folder: string): Promise<boolean> {
  return await readFile(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  );
}
