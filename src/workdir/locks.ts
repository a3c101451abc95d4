import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Deletes the `*.lock` files that a killed git left in a git directory; true when there were any. Call it only while no
 * git runs in that repository. Links are not followed. Objects are skipped, because git never waits for a lock there.
 */
export async function removeLocks(gitDir: string): Promise<boolean> {
  let found = false;
  for (const entry of await readdir(gitDir, { withFileTypes: true })) {
    const path = join(gitDir, entry.name);
    if (entry.isDirectory() && entry.name !== 'objects') {
      found = (await removeLocks(path)) || found;
    } else if (entry.isFile() && entry.name.endsWith('.lock')) {
      await rm(path, { force: true });
      found = true;
    }
  }
  return found;
}
