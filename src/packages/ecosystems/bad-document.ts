import type { EcosystemName } from '../../vocabulary.ts';
import { PackageRefused } from '../refused.ts';

/** A registry answered 200 with something that is not what it was asked for, as a captive portal does. */
function badDocument(ecosystem: EcosystemName, what: string): PackageRefused {
  return new PackageRefused(
    502,
    'registry',
    `The registry's answer is no document about ${what}. Try again; if it stays, a person should look at packages.registries.${ecosystem}.url.`,
  );
}

/** What `read` makes of a document; whatever it throws is the registry's fault. */
export function readOf<T>(ecosystem: EcosystemName, what: string | null, read: () => T): T {
  try {
    return read();
  } catch {
    throw badDocument(ecosystem, what ?? 'itself');
  }
}
