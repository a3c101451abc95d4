/**
 * Gives the files of a conversation to the container's user. docker and podman as root use that user outside, too:
 * without this the agent could not write what the worker made, and the CLI would keep no history and report no error
 * (SESSIONS.md, B2). Where an engine only renames the worker's user, everything is given to the worker, so that a
 * conversation also goes on after the engine or the user was changed.
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
 * To be called while nothing of the conversation runs. Mounts of the operator are not changed. Only root can give files
 * away. Links are not followed, because agents wrote what is in these folders.
 */
export async function giveToUser(spec: Pick<ContainerSpec, 'mounts'>, user: User): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const { source, owned, shown, over } of spec.mounts) {
    if (shown === true && user.uid !== ownUser().uid) await show(source);
    // What is below an overlay belongs to all conversations, and nobody may write it.
    const given = over?.upper ?? source;
    if (owned !== true || (await isAllOurs(given, user))) continue;
    await give(given, user);
  }
}

/**
 * Makes readable what belongs to the worker and is mounted for reading, such as the mirror. The worker's umask hides it
 * from everybody else.
 */
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
 * When worker and container have always been one user, nothing below belongs to anybody else, and a large checkout need
 * not be walked. A folder is given after its contents, so a walk that was cut off is not taken for complete.
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
