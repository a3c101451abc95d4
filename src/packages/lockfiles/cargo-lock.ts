import type { Locked } from '../locked.ts';
import { crateName } from '../names.ts';
import { digestOfHex, present } from './digest.ts';
import { fieldsOf, isFields, listOf, textOf } from './shape.ts';
import { readToml } from './toml.ts';
import type { LockText } from './unreadable.ts';

/** Cargo.lock of every version. The first kept checksums apart: `"checksum <name> <version> (<source>)" = "<hex>"`. */
export function readCargoLock(lock: LockText): Locked[] {
  const file = readToml(lock);
  if (file.package !== undefined && !Array.isArray(file.package)) {
    throw lock.fail('its `package` is no list of tables');
  }
  const apart = fieldsOf(file.metadata);
  return listOf(file.package)
    .filter(isFields)
    .flatMap((entry): Locked[] => {
      const [name, version, source] = [entry.name, entry.version, entry.source].map(textOf);
      // Members of the workspace have no source; `git+…` is no registry.
      if (!name || !version || !/^(registry|sparse)\+/.test(source ?? '')) return [];
      const hex = textOf(entry.checksum) ?? textOf(apart[`checksum ${name} ${version} (${source})`]);
      const digests = present([hex === null ? null : digestOfHex('sha256', hex)]);
      return [{ ecosystem: 'crates', name: crateName(name), version, digests }];
    });
}
