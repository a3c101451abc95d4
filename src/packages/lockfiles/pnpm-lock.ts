import type { Locked } from '../locked.ts';
import { digestsOfIntegrity } from './digest.ts';
import { fieldsOf, isFields } from './shape.ts';
import type { LockText } from './unreadable.ts';
import { readYaml } from './yaml.ts';

/** pnpm-lock.yaml of the formats 5.x, 6 and 9. They differ in how a key of `packages` is written. */
export function readPnpmLock(lock: LockText): Locked[] {
  const file = readYaml(lock);
  const major = Number.parseInt(String(file.lockfileVersion), 10);
  if (major !== 5 && major !== 6 && major !== 9) {
    throw lock.fail(
      `it has lockfileVersion ${String(file.lockfileVersion)}; 5.x, 6 and 9 are read`,
      'Write it again with pnpm 6 to 11, and commit that.',
    );
  }
  // Without a dependency there is no `packages`.
  if (file.packages !== undefined && !isFields(file.packages))
    throw lock.fail('its `packages` is no mapping');
  return Object.entries(fieldsOf(file.packages)).flatMap(([key, value]) => {
    const place = placeOf(key, major);
    if (place === null) return [];
    const digests = digestsOfIntegrity(fieldsOf(fieldsOf(value).resolution).integrity);
    return [{ ecosystem: 'npm', ...place, digests }];
  });
}

/**
 * 5.4: `/@scope/name/1.0.0_peer@2.0.0`, 6: `/@scope/name@1.0.0(peer@2.0.0)`, 9: `@scope/name@1.0.0`. null = it comes from
 * elsewhere than a registry: `file:…`, a repository, an archive at an address.
 */
function placeOf(key: string, major: number): { name: string; version: string } | null {
  const form =
    major === 5
      ? /^\/(?<name>(?:@[^/@]+\/)?[^/@]+)\/(?<version>\d[^/_()]*)(?:_.*)?$/
      : /^\/?(?<name>(?:@[^/@]+\/)?[^/@]+)@(?<version>\d[^/_():]*)(?:\(.*)?$/;
  const found = form.exec(key)?.groups;
  return found === undefined ? null : { name: found.name!, version: found.version! };
}
