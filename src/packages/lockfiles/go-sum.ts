import type { Locked } from '../locked.ts';
import type { LockText } from './unreadable.ts';

/**
 * go.sum and go.work.sum: `<module> <version> h1:<base64>` is of the module's zip, `<version>/go.mod` of its go.mod. Both
 * hashes can stand in one list: what is hashed names its files, so one can never be the other.
 */
export function readGoSum(lock: LockText): Locked[] {
  return lock.text.split('\n').flatMap((line, index): Locked[] => {
    if (line.trim() === '') return [];
    const found = /^(\S+) (v[^\s/]+)(?:\/go\.mod)? (\S+)$/.exec(line.trimEnd());
    if (found === null) throw lock.fail(`line ${index + 1} is not "<module> <version> <hash>"`);
    const [, name, version, hash] = found as unknown as [string, string, string, string];
    // Another form than h1 may come one day; go itself skips what it does not know.
    const digests = /^h1:[A-Za-z0-9+/]{43}=$/.test(hash) ? [`go-${hash}`] : [];
    return [{ ecosystem: 'go', name, version, digests }];
  });
}
