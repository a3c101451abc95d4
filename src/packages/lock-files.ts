/** Which files are lock files, and what each says. Pure: text in, a list out, or a `LockFileUnreadable`. */
import { basename, dirname } from 'node:path/posix';
import type { Locked } from './locked.ts';
import { readCargoLock } from './lockfiles/cargo-lock.ts';
import { readGoSum } from './lockfiles/go-sum.ts';
import { readGradleVerification } from './lockfiles/gradle-verification.ts';
import { readNpmLock } from './lockfiles/npm-lock.ts';
import { readPnpmLock } from './lockfiles/pnpm-lock.ts';
import { readPipfileLock, readPoetryLock, readPylock, readUvLock } from './lockfiles/python-locks.ts';
import { readRequirements } from './lockfiles/requirements.ts';
import { type LockText, lockText } from './lockfiles/unreadable.ts';
import { readYarnLock } from './lockfiles/yarn-lock.ts';

export type LockReader = (lock: LockText) => Locked[];

const BY_NAME: Readonly<Record<string, LockReader>> = {
  'package-lock.json': readNpmLock,
  'npm-shrinkwrap.json': readNpmLock,
  'pnpm-lock.yaml': readPnpmLock,
  'yarn.lock': readYarnLock,
  'uv.lock': readUvLock,
  'poetry.lock': readPoetryLock,
  'pdm.lock': readPoetryLock,
  'Pipfile.lock': readPipfileLock,
  'Cargo.lock': readCargoLock,
  'go.sum': readGoSum,
  'go.work.sum': readGoSum,
  'verification-metadata.xml': readGradleVerification,
};

const BY_FORM: readonly (readonly [RegExp, LockReader])[] = [
  [/^pylock(\.[^.]+)?\.toml$/, readPylock],
  // requirements.txt, requirements-dev.txt, dev-requirements.txt, requirements/dev.txt
  [/^([\w.-]+[-_.])?requirements([-_.][\w.-]+)?\.txt$/, readRequirements],
];

/** More than the largest that is known of; a parser needs ten times that in memory. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** By its name alone: nothing is read. */
export function isLockFile(path: string): boolean {
  return readerOf(path) !== null;
}

export function readLockFile(path: string, text: string): Locked[] {
  const lock = lockText(path, text);
  const reader = readerOf(path);
  if (reader === null) throw lock.fail('it is no lock file that we know', remedyFor(path));
  if (text.length > MAX_CHARACTERS) {
    throw lock.fail(`it has more than ${MAX_CHARACTERS} characters`, 'Split it, or name a smaller one.');
  }
  return reader(lock);
}

function readerOf(path: string): LockReader | null {
  const name = basename(path);
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name]!;
  if (basename(dirname(path)) === 'requirements' && name.endsWith('.txt')) return readRequirements;
  return BY_FORM.find(([form]) => form.test(name))?.[1] ?? null;
}

const KNOWN = [...Object.keys(BY_NAME), 'pylock.toml', 'requirements*.txt'].join(', ');

function remedyFor(path: string): string {
  if (basename(path) === 'pom.xml') {
    return 'Maven has no lock file: use the policy `registry` for it, or commit a verification-metadata.xml, as Gradle writes it.';
  }
  return `Name one of these: ${KNOWN}.`;
}
