/**
 * What one conversation has of a layer: the layer below, and a folder of its own above for what it writes. Where no
 * overlay can be mounted, a copy. Both belong to the conversation, and go with it.
 */
import { chmod, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerMount } from '../container/place.ts';
import { runProgram } from '../program.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import { removeInstructions } from './instructions.ts';
import type { LayerOnDisk } from './manifest.ts';
import type { KeptPath } from './recipe.ts';

export type Way = 'overlay' | 'copy';

export interface OwnRequest {
  layer: LayerOnDisk;
  /** the conversation's, for what it has of layers; what is there of other layers is removed */
  folder: string;
  way: Way;
  targetOf(kept: KeptPath): string;
  within: readonly string[];
}

export interface Own {
  mounts: LayerMount[];
  /** `first`: it had none; `replaced`: it had another layer, and what it wrote there is gone */
  news: 'first' | 'replaced' | null;
}

/** Call it only while no process of the conversation lives. */
export async function ownLayer(r: OwnRequest): Promise<Own> {
  const name = `${r.layer.id}-${r.way}`;
  const others = (await readdir(r.folder).catch(() => [] as string[])).filter((one) => one !== name);
  for (const other of others) await removeTree(join(r.folder, other));
  const before = await lstat(join(r.folder, name)).catch(() => null);
  const mounts: LayerMount[] = [];
  for (const { root, path, n } of r.layer.kept) {
    const below = join(r.layer.folder, String(n));
    const above = join(r.folder, name, String(n));
    const target = r.targetOf({ root, path });
    const mount = r.way === 'overlay' ? await overlay(below, above) : await copy(below, above);
    const folder = mount.over?.upper ?? mount.source;
    // What earlier runs installed may bring instructions, too.
    if (before !== null) await removeInstructions({ folder, target, within: r.within });
    mounts.push({ root, path, ...mount });
  }
  return { mounts, news: before !== null ? null : others.length > 0 ? 'replaced' : 'first' };
}

type Above = Pick<LayerMount, 'source' | 'over'>;

async function overlay(below: string, above: string): Promise<Above> {
  const over = { upper: join(above, 'upper'), work: join(above, 'work'), merged: join(above, 'merged') };
  for (const folder of [over.work, over.merged]) await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await lstat(over.upper).catch(() => null)) === null) {
    await mkdir(over.upper, { mode: 0o700 });
    // The agent sees the mode of this folder and not that of the layer's.
    await chmod(over.upper, (await lstat(below)).mode & 0o7777);
  }
  return { source: below, over };
}

const COPY_MS = 30 * 60_000;

/** Never hard links: a file that is written in place would change for all conversations. */
async function copy(below: string, above: string): Promise<Above> {
  const source = join(above, 'copy');
  if ((await lstat(source).catch(() => null)) !== null) return { source, over: null };
  const fresh = join(above, 'copy.new');
  await removeTree(fresh);
  await mkdir(above, { recursive: true, mode: 0o700 });
  const args = ['-a', '--reflink=auto', '--no-target-directory', '--', below, fresh];
  const ran = await runProgram({ program: 'cp', args, env: {}, inherits: true, timeoutMs: COPY_MS });
  if (ran.exitCode !== 0) {
    await removeTree(fresh);
    throw new CopyFailed(ran.cutShort?.why ?? ran.stderr.trim());
  }
  await rename(fresh, source);
  return { source, over: null };
}

/** The disk is full, most likely. */
export class CopyFailed extends Error {
  override name = 'CopyFailed';
}
