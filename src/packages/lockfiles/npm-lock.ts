import type { Locked } from '../locked.ts';
import { digestsOfIntegrity } from './digest.ts';
import { readJson } from './json.ts';
import { fieldsOf, isFields, textOf } from './shape.ts';
import type { LockText } from './unreadable.ts';

/** package-lock.json and npm-shrinkwrap.json, versions 2 and 3. Version 1 has no `packages`. */
export function readNpmLock(lock: LockText): Locked[] {
  const file = readJson(lock);
  if (!isFields(file.packages)) {
    throw lock.fail(
      `it has lockfileVersion ${String(file.lockfileVersion)} and no "packages"`,
      'Write it again with npm 7 or newer (`npm install --package-lock-only`), and commit that.',
    );
  }
  return Object.entries(file.packages).flatMap(([path, value]) => lockedOf(path, fieldsOf(value)));
}

function lockedOf(path: string, entry: Readonly<Record<string, unknown>>): Locked[] {
  // A link is a folder of the repository. What is bundled comes within the archive of another package.
  if (path === '' || entry.link === true || entry.inBundle === true) return [];
  const folder = path.lastIndexOf('node_modules/');
  if (folder < 0) return [];
  // An alias has its real name in a field.
  const name = textOf(entry.name) ?? path.slice(folder + 'node_modules/'.length);
  const digests = digestsOfIntegrity(entry.integrity);
  return [{ ecosystem: 'npm', name, version: textOf(entry.version), digests }];
}
