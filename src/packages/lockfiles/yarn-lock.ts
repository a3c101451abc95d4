import type { Locked } from '../locked.ts';
import { digestsOfIntegrity } from './digest.ts';
import { fieldsOf, textOf } from './shape.ts';
import type { LockText } from './unreadable.ts';
import { readYaml } from './yaml.ts';

/** yarn.lock: version 1 has a form of its own, later ones ("berry") are YAML. */
export function readYarnLock(lock: LockText): Locked[] {
  return /^__metadata:/m.test(lock.text) ? readBerry(lock) : readClassic(lock);
}

/**
 * The checksum is that of the zip file which Yarn makes of a package, and not of what the registry serves. So names and
 * versions are known here, and no digest. docs/decisions/0051 says why the zip is not made again.
 */
function readBerry(lock: LockText): Locked[] {
  return Object.values(readYaml(lock)).flatMap((value) => {
    const resolution = textOf(fieldsOf(value).resolution);
    const found = /^(?<name>(?:@[^/@]+\/)?[^/@]+)@npm:(?<version>\d[^:]*)$/.exec(resolution ?? '')?.groups;
    if (found === undefined) return [];
    return [{ ecosystem: 'npm', name: found.name!, version: found.version!, digests: [] }];
  });
}

interface Entry {
  name: string;
  version: string | null;
  integrity: string | null;
}

function readClassic(lock: LockText): Locked[] {
  if (!/^# yarn lockfile v1\s*$/m.test(lock.text)) {
    throw lock.fail('it is no yarn.lock: neither "# yarn lockfile v1" nor "__metadata:" is in it');
  }
  const entries: Entry[] = [];
  for (const line of lock.text.split('\n')) {
    const name = nameOfHead(line);
    if (name !== null) entries.push({ name, version: null, integrity: null });
    const entry = entries.at(-1);
    if (entry === undefined) continue;
    // Two spaces: what is deeper belongs to `dependencies`.
    const [, field, value] = /^ {2}(version|integrity) "?([^"\s]*)/.exec(line) ?? [];
    if (field === 'version') entry.version = value!;
    if (field === 'integrity') entry.integrity = value!;
  }
  return entries.map(({ name, version, integrity }) => {
    return { ecosystem: 'npm', name, version, digests: digestsOfIntegrity(integrity) };
  });
}

/** Of `"@scope/name@^1.0.0", "@scope/name@^1.1.0":`, the first; an alias is `mine@npm:theirs@^1.0.0`. */
function nameOfHead(line: string): string | null {
  if (!/^["@A-Za-z0-9_]/.test(line) || !/:\s*$/.test(line)) return null;
  const found = /^"?(?<mine>(?:@[^/@"]+\/)?[^/@"]+)@(?:npm:(?<theirs>(?:@[^/@"]+\/)?[^/@"]+)@)?/.exec(line);
  return found?.groups?.theirs ?? found?.groups?.mine ?? null;
}
