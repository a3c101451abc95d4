/** Runs in the process of `decoder.ts`: takes bytes, answers with a picture for the model or with the reason against it. */
import sharp, { type OutputInfo, type Sharp } from 'sharp';
import type { Asked, Decoded } from './decoder.ts';
import { LARGEST_OUTGOING_PNG, LARGEST_PNG, LONG_EDGE, MOST_PIXELS } from './limits.ts';

// libvips knows many more formats; what is not in this list cannot be reached by bytes that pretend to be another.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
});
sharp.cache(false);
sharp.concurrency(1);

process.on('message', (asked: Asked) => {
  void decode(asked).then((decoded) => process.send?.(decoded));
});
process.on('disconnect', () => process.exit(0));

async function decode({ bytes, longEdge }: Asked): Promise<Decoded> {
  try {
    // The header alone: nothing is decoded here.
    const { width, height, format, pages, hasAlpha, orientation = 1 } = await sharp(bytes).metadata();
    // guard: pictures: pixels before decoding
    if (width * height > MOST_PIXELS) {
      return { why: `it has ${width}×${height} pixels, more than ${MOST_PIXELS / 1e6} megapixels` };
    }
    const turned = orientation >= 5 ? { width: height, height: width } : { width, height };
    const scaled = sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
      .rotate()
      .resize({ width: longEdge, height: longEdge, fit: 'inside', withoutEnlargement: true });
    const isPhotograph = format === 'jpeg';
    const png = isPhotograph ? null : await written(scaled.clone().png({ compressionLevel: 6 }));
    const isPng =
      png !== null && png.data.byteLength <= (longEdge > LONG_EDGE ? LARGEST_OUTGOING_PNG : LARGEST_PNG);
    const flat = hasAlpha ? scaled.clone().flatten({ background: '#ffffff' }) : scaled.clone();
    const { data, info } = isPng ? png : await written(flat.jpeg({ quality: 85 }));
    return {
      bytes: data,
      mediaType: isPng ? 'image/png' : 'image/jpeg',
      width: info.width,
      height: info.height,
      original: { ...turned, animated: (pages ?? 1) > 1 },
    };
  } catch {
    // The decoder's own words can quote the file.
    return { why: 'it is broken: it cannot be decoded' };
  }
}

async function written(picture: Sharp): Promise<{ data: Buffer; info: OutputInfo }> {
  return await picture.toBuffer({ resolveWithObject: true });
}
