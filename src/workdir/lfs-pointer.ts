/** A pointer: the few lines that git stores in place of a file of Git LFS, and that name its content. */
export interface Pointer {
  /** SHA-256 of the content, in hexadecimal digits */
  oid: string;
  /** of the content, in bytes */
  size: number;
}

/** The specification says: smaller than 1024 bytes. */
export const LARGEST_POINTER = 1023;

export const POINTER_BEGINS = 'version https://git-lfs.github.com/spec/v1';

const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-[0-9]-[A-Za-z0-9._-]+ sha256:[0-9a-f]{64}\n)*oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,14})\n$/;

/** Exactly the form of the specification: programs disagree about anything that only resembles a pointer. */
export function parsePointer(text: string): Pointer | null {
  const [, oid, size] = POINTER.exec(text) ?? [];
  return oid === undefined ? null : { oid, size: Number(size) };
}
