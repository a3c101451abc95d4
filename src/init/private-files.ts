/** Files for this user alone, replaced whole. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  // A file that was there keeps its mode when it is only written to.
  // guard: init: secrets are for this user alone
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

/** null: there is none, or it is empty */
export function readSecret(file: string): string | null {
  if (!existsSync(file)) return null;
  const text = readFileSync(file, 'utf8').trim();
  return text === '' ? null : text;
}

/** Relative to the configuration, as it names them. */
export interface SecretPaths {
  webhook: string;
  token(agent: string): string;
}

export function secretPaths(forge: string): SecretPaths {
  return {
    webhook: join('secrets', `${forge}-webhook`),
    token: (agent) => join('secrets', `${forge}-${agent}-token`),
  };
}
