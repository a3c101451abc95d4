/** Files of a commit of the base branch, read from the mirror alone: no agent can have changed them on the way. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Control } from './control.ts';
import type { Git } from './git.ts';
import { requireSha } from './names.ts';
import type { BaseFile } from './port.ts';
import { removeTree } from './remove-tree.ts';

/** Larger ones are known by their blob alone. */
const LARGEST_TEXT = 256 * 1024;

interface Commit {
  git: Git;
  /** bare repository that has it */
  mirror: string;
  sha: string;
}

/** By path. What the commit does not have, or has as a folder, is left out. `texts`: the paths whose content is wanted */
export async function readBaseFiles(
  { git, mirror, sha }: Commit,
  paths: readonly string[],
  texts: readonly string[],
): Promise<Map<string, BaseFile>> {
  requireSha(sha);
  const found = new Map<string, BaseFile>();
  if (paths.length === 0) return found;
  const list = ['ls-tree', '-l', '-z', sha, '--', ...paths];
  const { stdout } = await git({ gitDir: mirror, args: ['--literal-pathspecs', ...list] });
  for (const line of stdout.split('\0')) {
    const [mode, type, blob, size] = line.slice(0, line.indexOf('\t')).split(/ +/);
    const path = line.slice(line.indexOf('\t') + 1);
    if (type !== 'blob' || blob === undefined) continue;
    const isText = texts.includes(path) && mode?.startsWith('100') === true && Number(size) <= LARGEST_TEXT;
    const text = isText ? (await git({ gitDir: mirror, args: ['cat-file', 'blob', blob] })).stdout : null;
    found.set(path, { blob, text });
  }
  return found;
}

/** Those of these paths that the commit has as a file or a folder. */
export async function inCommit({ git, mirror, sha }: Commit, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const args = ['--literal-pathspecs', 'ls-tree', '--name-only', '-z', sha, '--', ...paths];
  return (await git({ gitDir: mirror, args })).stdout.split('\0').filter((name) => name !== '');
}

/** Those of these paths that the checkout's own index has, or has something below. */
export async function inIndex(git: Git, control: Control, paths: readonly string[]): Promise<string[]> {
  const tracked: string[] = [];
  for (const path of paths) {
    const args = ['--literal-pathspecs', 'ls-files', '-z', '--', path];
    const { stdout } = await git({ gitDir: control.gitDir, workTree: control.checkout, args });
    if (stdout !== '') tracked.push(path);
  }
  return tracked;
}

/** The files of the commit in a folder that is emptied first: without history, submodules or contents of Git LFS. */
export async function layOutCommit({ git, mirror, sha }: Commit, folder: string): Promise<void> {
  requireSha(sha);
  await removeTree(folder);
  await mkdir(folder, { recursive: true });
  const call = { gitDir: mirror, workTree: folder, indexFile: join(dirname(folder), 'index') };
  await removeTree(call.indexFile);
  await git({ ...call, args: ['read-tree', sha] });
  await git({ ...call, args: ['checkout-index', '-q', '-f', '-a'] });
}
