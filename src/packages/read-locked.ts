/** The lock files that count for one run: those of the base branch, and of commits that a person approved. */
import type { Log } from '../log.ts';
import { isLockFile } from './lock-files.ts';
import type { Locked } from './locked.ts';
import { LockedPackages } from './policy.ts';
import { readLockFileApart } from './read-apart.ts';

export interface LockFileSource {
  /** head of the base branch, and approved commits */
  commits: readonly { sha: string; what: 'base' | 'approved' }[];
  /** null = the mirror does not have the commit */
  files: (
    sha: string,
    isWanted: (path: string) => boolean,
  ) => Promise<readonly { path: string; text: string }[] | null>;
  log: Pick<Log, 'warn'>;
}

/** A file that cannot be read counts for nothing, and the log says why. */
export async function readLocked({ commits, files, log }: LockFileSource): Promise<LockedPackages> {
  const locked: Locked[] = [];
  const paths = new Set<string>();
  for (const { sha, what } of commits) {
    const found = await files(sha, isLockFile);
    if (found === null) {
      log.warn(
        `the ${what === 'base' ? 'base' : 'approved'} commit ${sha} is not in the mirror; its lock files do not count`,
      );
      continue;
    }
    for (const { path, text } of found) {
      const read = await readLockFileApart({ path, text });
      if ('problem' in read) {
        log.warn(`a lock file of ${sha} counts for nothing: ${read.problem}`);
        continue;
      }
      // Not spread into `push`, which takes about 100,000 arguments at most.
      for (const one of read.locked) locked.push(one);
      paths.add(what === 'base' ? path : `${path} of ${sha.slice(0, 8)}`);
    }
  }
  return new LockedPackages(locked, [...paths]);
}
