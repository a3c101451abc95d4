/**
 * What stands in the way of a checkout that has to be at one commit exactly. Nothing is deleted: it is moved into the
 * checkout's own `.git`, where the agent can still read it and no status shows it.
 *
 * Only while no process of the agent lives: paths are looked at, then moved.
 */
import { lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { operationFiles } from './checkout.ts';

const PREFIX = 'put-aside-';
/** One for each time; somebody who has more of them has a folder to look into first. */
const MOST_FOLDERS = 10_000;

/** Moves these files of the checkout and what an unfinished git operation left; answers the folder, null = nothing was there. */
export async function putAside(checkout: string, files: readonly string[]): Promise<string | null> {
  const operation = await operationFiles(checkout);
  if (files.length === 0 && operation.length === 0) return null;
  const folder = await freshFolder(join(checkout, '.git'));
  const at = join(checkout, '.git', folder);
  // A repository in the checkout is listed as a folder, with a slash behind it.
  const names = files.map((file) => file.replace(/\/$/, ''));
  for (const file of names) {
    if (await isBelow(checkout, file)) await move(join(checkout, file), join(at, 'files', file));
  }
  for (const name of operation) await move(join(checkout, '.git', name), join(at, 'git', name));
  return `.git/${folder}`;
}

/** Made by us in this call: a link that the agent put there is not followed. */
async function freshFolder(gitDir: string): Promise<string> {
  for (let n = 1; n <= MOST_FOLDERS; n += 1) {
    const name = `${PREFIX}${n}`;
    try {
      await mkdir(join(gitDir, name));
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${gitDir} has too many folders ${PREFIX}…. Delete those that nobody needs any more.`);
}

/** Through a link that stands where a folder was, this would move files of somebody else. The link is a file of its own. */
async function isBelow(checkout: string, file: string): Promise<boolean> {
  let folder = checkout;
  for (const part of file.split('/').slice(0, -1)) {
    folder = join(folder, part);
    const found = await lstat(folder).catch(() => null);
    if (found === null || !found.isDirectory()) return false;
  }
  return true;
}

/** A file that git lists as deleted is not there, and there is nothing to keep of it. */
async function move(from: string, to: string): Promise<void> {
  if ((await lstat(from).catch(() => null)) === null) return;
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}
