/**
 * What belongs to a conversation, in the hands of the container's user. docker and podman as root take that user
 * literally: what the worker made, the agent could not write, and the CLI would keep no history without a word
 * (SESSIONS.md, B2). An engine that only renames the worker's user gives everything to the worker, so that a conversation
 * also goes on after the engine or the user was changed.
 */
import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec } from './container.ts';

export interface User {
  uid: number;
  gid: number;
}

/** The worker's. */
export function ownUser(): User {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/**
 * To be called while nothing of the conversation runs; what an operator mounts stays as it is. Only root can give files
 * away. Follows no link: what lies in these folders, agents wrote.
 */
export async function giveToUser(spec: Pick<ContainerSpec, 'mounts'>, user: User): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const { source, owned, shown } of spec.mounts) {
    if (shown === true && user.uid !== ownUser().uid) await show(source);
    if (owned !== true || (await isAllOurs(source, user))) continue;
    await give(source, user);
  }
}

/** What stays the worker's and is mounted to be read, such as the mirror. Made under a umask that shows it to nobody. */
async function show(path: string): Promise<void> {
  // A fetch of another conversation may move files of the mirror meanwhile.
  const found = await lstat(path).catch(() => null);
  if (found === null || found.isSymbolicLink()) return;
  if (found.isDirectory()) for (const name of await readdir(path)) await show(join(path, name));
  const executable = found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o011 : 0;
  const mode = (found.mode & 0o7777) | 0o044 | executable;
  if (mode !== (found.mode & 0o7777)) await chmod(path, mode).catch(ignoreMissing);
}

/**
 * Worker and container are one user and always were: then nothing below is anybody else's, and a large checkout need not
 * be walked. A folder is given after what is in it, so one that was cut off is not taken for done.
 */
async function isAllOurs(source: string, user: User): Promise<boolean> {
  const own = ownUser();
  if (user.uid !== own.uid || user.gid !== own.gid) return false;
  return isOf(await lstat(source), user);
}

async function give(path: string, user: User): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) for (const name of await readdir(path)) await give(join(path, name), user);
  if (!isOf(found, user)) await lchown(path, user.uid, user.gid);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function isOf(found: { uid: number; gid: number }, { uid, gid }: User): boolean {
  return found.uid === uid && found.gid === gid;
}
