/** What a file is, by its first bytes: names and content types are words of whoever sent it. Pure. */

export type PictureKind = 'png' | 'jpeg' | 'gif' | 'webp' | 'svg';

/** `svg` is recognised so that the refusal can name it; null = none of these. */
export function kindOf(bytes: Uint8Array): PictureKind | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024));
  const latin = head.toString('latin1');
  if (latin.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (latin.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (/^GIF8[79]a/.test(latin)) return 'gif';
  if (latin.startsWith('RIFF') && latin.slice(8, 12) === 'WEBP') return 'webp';
  return /<svg[\s/>]/i.test(latin) ? 'svg' : null;
}
