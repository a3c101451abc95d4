import type { Locked } from '../locked.ts';
import { pypiName } from '../names.ts';
import { digestOfColonForm, present } from './digest.ts';
import type { LockText } from './unreadable.ts';

/**
 * requirements*.txt. Files that it names (`-r`, `-c`) are not followed: each is a lock file for itself. A requirement
 * without a hash is read, too: its metadata pass, its files do not.
 */
export function readRequirements(lock: LockText): Locked[] {
  // A line goes on after a backslash. A comment begins at the line's start or after a space.
  const lines = lock.text.replace(/\\\r?\n/g, ' ').split(/\r?\n/);
  return lines.flatMap((line) => lockedOf(line.replace(/(^|\s)#.*$/s, '').trim()));
}

function lockedOf(line: string): Locked[] {
  // Each expression is anchored and goes over the text once: a line may be megabytes long.
  const [, name, after] = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(.*)$/s.exec(line) ?? [];
  if (name === undefined) return [];
  const rest = after!.trimStart().replace(/^\[[^\]]*\]/, '');
  // `name @ https://…` is no file of an index, and a path is none, either.
  if (/^[@:/\\]/.test(rest.trimStart())) return [];
  const [, version = null] = /^\(?={2,3}([^;,)]+)/.exec(specifierOf(rest)) ?? [];
  const hashes = rest.split(/\s+/).map((word) => digestOfColonForm(/^--hash=(.+)$/.exec(word)?.[1]));
  return [{ ecosystem: 'pypi', name: pypiName(name), version, digests: present(hashes) }];
}

/** What stands before options and markers, without spaces: `==1.0`. */
function specifierOf(rest: string): string {
  const [before = ''] = rest.split(/;|\s--/, 1);
  return before.replace(/\s/g, '');
}
