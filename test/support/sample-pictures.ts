/** Pictures for tests: plain ones in each format, and harmless samples of what could do harm. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

export async function plainPicture(o: {
  format: 'png' | 'jpeg' | 'gif' | 'webp';
  width: number;
  height: number;
  colour?: string;
}): Promise<Buffer> {
  const { width, height, colour = '#3366cc' } = o;
  const background = colour;
  return await sharp({ create: { width, height, channels: 3, background } })
    .toFormat(o.format)
    .toBuffer();
}

export async function noisePng(width: number, height: number): Promise<Buffer> {
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 80 };
  return await sharp({ create: { width, height, channels: 3, background: '#000', noise } })
    .png()
    .toBuffer();
}

/** The same file with another size in its header. */
export function withSize(png: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(png);
  changed.writeUInt32BE(width, 16);
  changed.writeUInt32BE(height, 20);
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29);
  return changed;
}

/** A valid PNG of 20,000 × 5,000 equal pixels (100 megapixels) in about 100 kB. */
export function bombPng(): Buffer {
  const [width, height] = [20_000, 5_000];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
