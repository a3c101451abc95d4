/**
 * Moves away what keeps a checkout from being at exactly one commit. It goes beside the checkout, where no agent reads
 * it: some of the files may be instructions, and a CLI obeys those wherever it finds them.
 *
 * Call this only while no process of the agent lives: paths are checked first and moved later.
 */
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { operationFiles } from './checkout.ts';
import { removeTree } from './remove-tree.ts';

const PREFIX = '.put-aside-';
/** For each conversation. The output of a build can be large, and each review may leave one. */
const MOST_KEPT = 20;

/**
 * Moves these files of the checkout and the rest of an unfinished git operation; answers the folder, null = there was
 * nothing to move.
 */
export async function putAside(checkout: string, files: readonly string[]): Promise<string | null> {
  const operation = await operationFiles(checkout);
  if (files.length === 0 && operation.length === 0) return null;
  const folder = await nextFolder(dirname(checkout));
  const at = join(dirname(checkout), folder);
  await mkdir(at);
  // A repository inside the checkout is listed as a folder, with a slash at the end.
  for (const file of files.map((name) => name.replace(/\/$/, ''))) {
    if (await isBelow(checkout, file)) await move(join(checkout, file), join(at, 'files', file));
  }
  for (const name of operation) await move(join(checkout, '.git', name), join(at, 'git', name));
  return folder;
}

async function nextFolder(home: string): Promise<string> {
  const numbers = (await readdir(home))
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => b - a);
  for (const n of numbers.slice(MOST_KEPT - 1)) await removeTree(join(home, `${PREFIX}${n}`));
  return `${PREFIX}${(numbers[0] ?? 0) + 1}`;
}

/**
 * False where a link stands in place of a folder: through it, somebody else's files would be moved. The link itself is
 * listed as a file.
 */
async function isBelow(checkout: string, file: string): Promise<boolean> {
  let folder = checkout;
  for (const part of file.split('/').slice(0, -1)) {
    folder = join(folder, part);
    const found = await lstat(folder).catch(() => null);
    // guard: truth: nothing is moved through a link
    if (found === null || !found.isDirectory()) return false;
  }
  return true;
}

/** A file that git lists as deleted is not there, so nothing is moved. */
async function move(from: string, to: string): Promise<void> {
  if ((await lstat(from).catch(() => null)) === null) return;
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}
