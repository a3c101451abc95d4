import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';

/** Where `package.json` and `defaults/` are: above `src/` in a checkout, above `dist/src/` in an installed package. */
export function packageFolder(): string {
  const manifest = findPackageJSON(import.meta.url);
  if (manifest === undefined)
    throw new Error('There is no package.json above the program; install it again.');
  return dirname(manifest);
}
