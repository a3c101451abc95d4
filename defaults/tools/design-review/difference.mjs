/** Two shots, pixel by pixel. Shots of different height are compared on the larger area. */
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

export function difference(before, after) {
  const [a, b] = [PNG.sync.read(before), PNG.sync.read(after)];
  const width = Math.max(a.width, b.width);
  const height = Math.max(a.height, b.height);
  const picture = new PNG({ width, height });
  const pixels = pixelmatch(padded(a, width, height), padded(b, width, height), picture.data, width, height, {
    threshold: 0.1,
  });
  return { pixels, share: Number((pixels / (width * height)).toFixed(4)), picture: PNG.sync.write(picture) };
}

function padded(shot, width, height) {
  if (shot.width === width && shot.height === height) return shot.data;
  const whole = new PNG({ width, height });
  PNG.bitblt(shot, whole, 0, 0, shot.width, shot.height, 0, 0);
  return whole.data;
}
