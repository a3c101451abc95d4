/**
 * Packages bring files such as CLAUDE.md, and the CLI obeys those of a folder when it reads a file below it. In what
 * set-up commands and agents fill, they would be words of strangers that instruct: they are removed. So are links that
 * lead out of the places that the worker knows, because what is behind them can change.
 */
import { join, posix } from 'node:path';
import { instructs } from '../steering/paths.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import { entriesBelow } from './tree.ts';

export interface Filled {
  /** absolute, on this machine */
  folder: string;
  /** where the agent has it */
  target: string;
  /** folders, as the agent sees them, that links may lead into */
  within: readonly string[];
}

/** No agent can write there. */
const SYSTEM = /^\/(usr|bin|sbin|lib|lib32|lib64|libx32|opt|etc|proc|dev|sys)(\/|$)/;

/** Answers how many were removed. */
export async function removeInstructions({ folder, target, within }: Filled): Promise<number> {
  const removed: string[] = [];
  for await (const entry of entriesBelow(folder)) {
    // Of a folder that goes, nothing below needs to be looked at.
    if (instructs(posix.basename(entry.path)) || leaves(entry, target, within)) removed.push(entry.path);
  }
  // guard: layers: no package instructs
  for (const path of removed) await removeTree(join(folder, path));
  return removed.length;
}

function leaves(
  entry: { path: string; target: string | null },
  target: string,
  within: readonly string[],
): boolean {
  if (entry.target === null) return false;
  const at = posix.dirname(posix.join(target, entry.path));
  const to = posix.resolve(at, entry.target);
  return !SYSTEM.test(to) && !within.some((folder) => to === folder || to.startsWith(`${folder}/`));
}
