import type { Locked } from '../locked.ts';
import { pypiName } from '../names.ts';
import { digestOfColonForm, digestOfHex, present } from './digest.ts';
import { readJson } from './json.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf } from './shape.ts';
import { readToml } from './toml.ts';
import type { LockText } from './unreadable.ts';

/** uv.lock: what does not come from a registry has no file that the door could serve. */
export function readUvLock(lock: LockText): Locked[] {
  return packagesOf(lock, 'package').flatMap((entry) => {
    if (textOf(fieldsOf(entry.source).registry) === null) return [];
    const files = [entry.sdist, ...listOf(entry.wheels)];
    return lockedOf(
      entry,
      files.map((file) => digestOfColonForm(fieldsOf(file).hash)),
    );
  });
}

/** poetry.lock, and pdm.lock, which writes the same. Poetry before 1.3 kept the files apart, by name. */
export function readPoetryLock(lock: LockText): Locked[] {
  const file = readToml(lock);
  const apart = fieldsOf(fieldsOf(file.metadata).files);
  return packagesIn(lock, file, 'package').flatMap((entry) => {
    // Of poetry `source.type`, of pdm `git`, `path` and `url`: not from an index.
    const kind = textOf(fieldsOf(entry.source).type);
    if ((kind !== null && kind !== 'legacy') || 'git' in entry || 'path' in entry || 'url' in entry)
      return [];
    const files = [...listOf(entry.files), ...listOf(apart[textOf(entry.name) ?? ''])];
    return lockedOf(
      entry,
      files.map((one) => digestOfColonForm(fieldsOf(one).hash)),
    );
  });
}

/** pylock.toml (PEP 751). */
export function readPylock(lock: LockText): Locked[] {
  return packagesOf(lock, 'packages').flatMap((entry) => {
    if ('vcs' in entry || 'directory' in entry || 'archive' in entry) return [];
    const hashes = [entry.sdist, ...listOf(entry.wheels)].flatMap((file) =>
      Object.entries(fieldsOf(fieldsOf(file).hashes)).map(([kind, hex]) => digestOfHex(kind, String(hex))),
    );
    return lockedOf(entry, hashes);
  });
}

/** Pipfile.lock: one object for each group, such as `default` and `develop`. */
export function readPipfileLock(lock: LockText): Locked[] {
  const groups = Object.entries(readJson(lock)).filter(([group]) => group !== '_meta');
  return groups.flatMap(([, group]) =>
    Object.entries(fieldsOf(group)).flatMap(([name, value]) => {
      const entry = fieldsOf(value);
      if ('git' in entry || 'path' in entry || 'file' in entry) return [];
      const version = textOf(entry.version)?.replace(/^==/, '') ?? null;
      return lockedOf({ name, version }, listOf(entry.hashes).map(digestOfColonForm));
    }),
  );
}

function packagesOf(lock: LockText, key: string): Fields[] {
  return packagesIn(lock, readToml(lock), key);
}

function packagesIn(lock: LockText, file: Fields, key: string): Fields[] {
  const packages = file[key] ?? [];
  if (!Array.isArray(packages)) throw lock.fail(`its \`${key}\` is no list of tables`);
  return packages.filter(isFields);
}

function lockedOf(entry: Fields, digests: readonly (string | null)[]): Locked[] {
  const name = textOf(entry.name);
  if (name === null) return [];
  return [
    { ecosystem: 'pypi', name: pypiName(name), version: textOf(entry.version), digests: present(digests) },
  ];
}
