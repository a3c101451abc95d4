/**
 * Names from a forge are hostile input: they are checked before git sees them, and made safe before the file system
 * does.
 */
import { createHash } from 'node:crypto';
import { GitFailed } from '../errors.ts';

// A ref is a file: a component may have 255 bytes on common file systems, less `.lock`.
const LONGEST_COMPONENT = 250;
const LONGEST_BRANCH = 1000;
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|\/$|\.$/;

/** The rules of `git check-ref-format --branch`, and lengths that can be stored. */
export function isBranchName(name: string): boolean {
  if (name === '' || name === '@' || name === 'HEAD' || !name.isWellFormed()) return false;
  if (FORBIDDEN.test(name) || Buffer.byteLength(name) > LONGEST_BRANCH) return false;
  return name
    .split('/')
    .every((c) => !c.startsWith('.') && !c.endsWith('.lock') && Buffer.byteLength(c) <= LONGEST_COMPONENT);
}

export function requireBranchName(name: string): void {
  if (isBranchName(name)) return;
  throw refused(
    `${JSON.stringify(name.slice(0, 80))} is not a branch name git accepts`,
    'Rename the branch on the forge, or correct the branch prefix of the agent',
  );
}

/** A full commit id, as forges send it: 40 hexadecimal digits, 64 in a SHA-256 repository. */
export function requireSha(sha: string): void {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) return;
  throw refused(
    `${JSON.stringify(sha.slice(0, 80))} is not a commit id`,
    'Pass all 40 hexadecimal digits of the commit',
  );
}

export function requireConversation(id: string): void {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return;
  throw refused(
    `${JSON.stringify(id.slice(0, 80))} is not a conversation id`,
    'Pass the UUID of the conversation',
  );
}

export function requirePullNumber(number: number): void {
  if (Number.isSafeInteger(number) && number > 0) return;
  throw refused(`${number} is not the number of a pull request`, 'Pass the number the forge shows');
}

/**
 * The last part of `owner/name`, made fit to be a folder name anywhere: `[A-Za-z0-9._-]`, at most 64 characters.
 */
export function folderName(fullName: string): string {
  const last = fullName.slice(fullName.lastIndexOf('/') + 1);
  const safe = last
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 64)
    .replace(/[.-]+$/, '');
  return safe === '' ? 'repository' : safe;
}

/** A folder name for a key that may hold any characters: readable at its start, unique at its end. */
export function folderKey(readable: string, key: string): string {
  return `${folderName(readable)}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/**
 * A value for one line of `.git/config`: git strips these characters from names itself, but complains when nothing is
 * left.
 */
export function identityLine(text: string, otherwise: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f<>]/g, ' ')
    .trim()
    .slice(0, 200);
  return line === '' ? otherwise : line;
}

const MOST_NAMED = 10;

/** The first of these paths, sorted and quoted, for a sentence. */
export function quotedNames(paths: readonly string[]): string {
  const names = [...paths]
    .sort()
    .slice(0, MOST_NAMED)
    .map((name) => JSON.stringify(name.slice(0, 200)).replace(/[\u007f-\u009f]/g, '?'));
  const more = paths.length > names.length ? ` and ${paths.length - names.length} more` : '';
  return `${names.join(', ')}${more}`;
}

export function refused(problem: string, remedy: string): GitFailed {
  return new GitFailed(`${problem}. ${remedy}.`, { exitCode: null, stderr: '', transient: false });
}
