/** Makes a layer of what set-up commands left: gathered beside its place, then renamed into it. */
import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { faultPoint } from '../faults.ts';
import { runProgram } from '../program.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import type { BuiltFolders } from './build.ts';
import { removeInstructions } from './instructions.ts';
import { type LayerOnDisk, type Manifest, manifestPath, readyFolder } from './manifest.ts';
import { type KeptPath, shownPath } from './recipe.ts';
import { blockedAt, treeOf } from './tree.ts';

export interface Commit {
  /** of all layers */
  root: string;
  key: string;
  /** emptied and filled; on the same file system as `root` */
  fresh: string;
  from: BuiltFolders;
  keep: readonly KeptPath[];
  /** a kept path as the agent has it */
  targetOf(kept: KeptPath): string;
  /** folders, as the agent sees them, that links may lead into */
  within: readonly string[];
}

export type Committed =
  | { kind: 'layer'; layer: LayerOnDisk; notes: string[] }
  /** a sentence with the remedy */
  | { kind: 'nothing'; problem: string };

export async function commitLayer(c: Commit): Promise<Committed> {
  await removeTree(c.fresh);
  await mkdir(c.fresh, { recursive: true, mode: 0o700 });
  const manifest: Manifest = { id: randomUUID(), key: c.key, kept: [] };
  const notes: string[] = [];
  for (const [n, kept] of c.keep.entries()) {
    const problem = await take(c, kept, n);
    if (problem !== null) {
      notes.push(problem);
      continue;
    }
    const folder = join(c.fresh, String(n));
    const removed = await removeInstructions({ folder, target: c.targetOf(kept), within: c.within });
    if (removed > 0)
      notes.push(`${removed} files that would instruct agents were left out of ${shownPath(kept)}.`);
    faultPoint('layer.unpacked');
    manifest.kept.push({ ...kept, n, ...(await treeOf(folder)) });
  }
  if (manifest.kept.length === 0) {
    return {
      kind: 'nothing',
      problem: `The commands left nothing to keep. ${notes.join(' ')} Correct keep, or the commands.`,
    };
  }
  await writeFile(manifestPath(c.fresh), JSON.stringify(manifest), { mode: 0o600 });
  faultPoint('layer.written');
  // A layer must not come back half after a power cut: its files are on the disk before its name is.
  await runProgram({ program: 'sync', args: ['-f', c.fresh], env: {}, inherits: true, timeoutMs: SYNC_MS });
  const folder = readyFolder(c.root, c.key);
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  // guard: layers: no half layer
  await rename(c.fresh, folder);
  faultPoint('layer.committed');
  return { kind: 'layer', layer: { ...manifest, folder }, notes };
}

const SYNC_MS = 120_000;

/** Moves one kept folder; answers why not, as a sentence. */
async function take({ from, fresh }: Commit, kept: KeptPath, n: number): Promise<string | null> {
  const source = join(from[kept.root], kept.path);
  const blocked = await blockedAt(from[kept.root], kept.path);
  if (blocked !== null) {
    return `${shownPath(kept)} is not kept: ${shownPath({ ...kept, path: blocked })} is no folder but a file or a link.`;
  }
  const found = await lstat(source).catch(() => null);
  if (found === null) return `${shownPath(kept)} is not kept: the commands did not make it.`;
  // A folder can be moved only by whoever may write in it, and some caches are read-only.
  await chmod(source, (found.mode & 0o7777) | 0o700);
  await rename(source, join(fresh, String(n)));
  return null;
}
