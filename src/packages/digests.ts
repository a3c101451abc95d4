/** Digests of files, in the form of lock files: `sha512-<base64>`, as Subresource Integrity writes them. */
import { createHash } from 'node:crypto';

const KINDS = ['sha1', 'sha256', 'sha512'] as const;

/** Hashes bytes as they pass, with each kind that a lock file may use. */
export class Digests {
  readonly #hashes = KINDS.map((kind) => ({ kind, hash: createHash(kind) }));
  bytes = 0;

  add(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    for (const { hash } of this.#hashes) hash.update(chunk);
  }

  /** Call it once, at the end. */
  take(): readonly string[] {
    return this.#hashes.map(({ kind, hash }) => `${kind}-${hash.digest('base64')}`);
  }
}

/** The one that names a file in the cache. */
export function sha256Of(digests: readonly string[]): string {
  const found = digests.find((one) => one.startsWith('sha256-'));
  if (found === undefined) throw new Error('These digests have no sha256. Report this as a bug.');
  return Buffer.from(found.slice('sha256-'.length), 'base64').toString('hex');
}

/**
 * Whether a file with the digests `found` is one that `wanted` names. All kinds that both know must agree in at least
 * one value, so that a weak digest cannot stand in for a strong one that differs.
 */
export function isWanted(found: readonly string[], wanted: readonly string[]): boolean {
  const kinds = new Set(found.map(kindOf));
  const known = [...Map.groupBy(wanted, kindOf)].filter(([kind]) => kinds.has(kind));
  return known.length > 0 && known.every(([, values]) => values.some((value) => found.includes(value)));
}

function kindOf(digest: string): string {
  return digest.startsWith('go-h1:') ? 'go-h1' : digest.slice(0, digest.indexOf('-'));
}
