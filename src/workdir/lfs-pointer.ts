/** What git stores in place of a file of Git LFS: a few lines that name the content. */
export interface Pointer {
  /** SHA-256 of the content, in hexadecimal digits */
  oid: string;
  /** of the content, in bytes */
  size: number;
}

/** The specification: smaller than 1024 bytes. */
export const LARGEST_POINTER = 1023;

export const POINTER_BEGINS = 'version https://git-lfs.github.com/spec/v1';

const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-[0-9]-[A-Za-z0-9._-]+ sha256:[0-9a-f]{64}\n)*oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,14})\n$/;

/** Exactly as the specification has it: what is only like a pointer is content to one program and a pointer to another. */
export function parsePointer(text: string): Pointer | null {
  const [, oid, size] = POINTER.exec(text) ?? [];
  return oid === undefined ? null : { oid, size: Number(size) };
}
