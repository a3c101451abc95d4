/** The system's "no" to a file, in words: which path, whose it is, what to do. */
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

/** null for every other error. */
export function refusedFile(error: unknown): string | null {
  const { code, path } = error as NodeJS.ErrnoException;
  if (path === undefined) return null;
  if (code === 'EROFS') return `${path} is on a read-only file system. Mount it writable, or correct state.`;
  if (code === 'ENOSPC') return `There is no space left for ${path}. Make room on its disk.`;
  if (code !== 'EACCES' && code !== 'EPERM') return null;
  const { uid } = nearest(path);
  return `User ${whoami()} may not use ${path}, which belongs to uid ${uid}. Run this as that user, as with sudo -u '#${uid}', or give the folder to the user of the service with chown -R.`;
}

/** What this user may see of it, or of the folders above. */
function nearest(path: string): { uid: number } {
  try {
    return statSync(path);
  } catch {
    return nearest(dirname(path));
  }
}

function whoami(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in the list of users, as in a container.
    return String(process.getuid?.());
  }
}
