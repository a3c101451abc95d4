/** Digests as lock files write them, in the one form that the door compares. What is too weak to rely on is left out. */

const BYTES: Readonly<Record<string, number>> = { sha256: 32, sha512: 64 };

/** of `sha256` and hexadecimal digits; null = not a digest that we take */
export function digestOfHex(algorithm: string, hex: string): string | null {
  const kind = algorithm.toLowerCase();
  const bytes = BYTES[kind];
  if (bytes === undefined || hex.length !== 2 * bytes || !/^[0-9a-fA-F]+$/.test(hex)) return null;
  return `${kind}-${Buffer.from(hex, 'hex').toString('base64')}`;
}

/** of `sha256:<hex>`, as Python's tools write it */
export function digestOfColonForm(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const colon = value.indexOf(':');
  return colon < 0 ? null : digestOfHex(value.slice(0, colon).trim(), value.slice(colon + 1).trim());
}

/** of a Subresource Integrity value, which may hold several: `sha512-… sha1-…` */
export function digestsOfIntegrity(value: unknown): string[] {
  return typeof value === 'string' ? present(value.split(/\s+/).map(digestOfIntegrity)) : [];
}

function digestOfIntegrity(part: string): string | null {
  const [, kind = '', digits = ''] = /^(sha256|sha512)-([A-Za-z0-9+/]+=*)$/.exec(part) ?? [];
  return digestOfHex(kind, Buffer.from(digits, 'base64').toString('hex'));
}

export function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}
