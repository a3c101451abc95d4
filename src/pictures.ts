/**
 * Pictures of others, made safe for a model: the kind is read from the bytes, the size from the header, and what is left is
 * decoded and written anew in a process of its own. Whatever the bytes are, the answer is a picture that the model's side
 * takes, or a clause that says why there is none.
 */
import { type Decoded, Decoder } from './pictures/decoder.ts';
import { kindOf } from './pictures/kind.ts';
import { LONG_EDGE } from './pictures/limits.ts';

export interface Picture {
  kind: 'picture';
  mediaType: 'image/png' | 'image/jpeg';
  bytes: Buffer;
  width: number;
  height: number;
  /** as it was sent */
  original: { width: number; height: number; animated: boolean };
}

/** `why`: a clause such as `it is empty`. */
export type PictureResult = Picture | { kind: 'refused'; why: string };

/** For people: a screenshot of a whole page stays readable. */
export const OUTGOING_EDGE = 8000;
/** Bytes of one picture as it comes. */
export const LARGEST_PICTURE = 20 * 1024 ** 2;

/** In order, none longer than `longEdge` pixels. Never throws. */
export async function readPictures(
  all: readonly Uint8Array[],
  longEdge: number = LONG_EDGE,
): Promise<PictureResult[]> {
  const decoder = new Decoder();
  const results: PictureResult[] = [];
  try {
    for (const bytes of all) results.push(await readOne(bytes, { decoder, longEdge }));
    return results;
  } finally {
    decoder.close();
  }
}

async function readOne(
  bytes: Uint8Array,
  { decoder, longEdge }: { decoder: Decoder; longEdge: number },
): Promise<PictureResult> {
  if (bytes.byteLength === 0) return refused('it is empty');
  // guard: pictures: largest
  if (bytes.byteLength > LARGEST_PICTURE) return refused(`it has more than ${LARGEST_PICTURE} bytes`);
  const kind = kindOf(bytes);
  // guard: pictures: the kind is in the bytes
  if (kind === 'svg') return refused('it is SVG: text that can hold code, and no picture for a model');
  if (kind === null) return refused('its bytes are no PNG, JPEG, GIF or WebP, whatever its name says');
  const decoded = await decoder.decode(bytes, longEdge);
  return 'why' in decoded ? refused(decoded.why) : pictureOf(decoded);
}

function pictureOf({
  bytes,
  mediaType,
  width,
  height,
  original,
}: Exclude<Decoded, { why: string }>): Picture {
  return { kind: 'picture', mediaType, bytes: Buffer.from(bytes), width, height, original };
}

function refused(why: string): PictureResult {
  return { kind: 'refused', why };
}
