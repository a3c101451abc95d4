/** The process that decodes: what it may take of this machine, and what its end costs. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { noisePng, plainPicture } from '../../test/support/sample-pictures.ts';
import { Decoder } from './decoder.ts';
import { DECODE_BYTES } from './limits.ts';

function decoder(): Decoder {
  const one = new Decoder();
  onTestFinished(() => one.close());
  return one;
}

/** Processes of decoders that this process has started. */
function processes(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return parent === String(process.pid) && command.includes('decode-process');
    } catch {
      return false;
    }
  });
}

test('it has a limit of memory, and nothing of our environment', async () => {
  const one = decoder();
  const others = new Set(processes());
  await one.decode(await plainPicture({ format: 'png', width: 9, height: 9 }), 100);
  const [pid] = processes().filter((found) => !others.has(found));
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
  expect(limits).toMatch(new RegExp(`Max data size +${DECODE_BYTES} +${DECODE_BYTES} `));
  // Node's own channel to its parent is all there is.
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  expect(names.map((line) => line.split('=')[0]).toSorted()).toEqual([
    'NODE_CHANNEL_FD',
    'NODE_CHANNEL_SERIALIZATION_MODE',
  ]);
});

test('one that dies costs its picture only', async () => {
  const one = decoder();
  const small = await plainPicture({ format: 'png', width: 9, height: 9 });
  const large = await noisePng(1200, 1200);
  const others = new Set(processes());
  await one.decode(small, 100);
  const [pid] = processes().filter((found) => !others.has(found));
  const lost = one.decode(large, 1200);
  process.kill(Number(pid), 'SIGKILL');
  expect(await lost).toEqual({ why: 'it could not be decoded within the limits of time and memory' });
  expect(await one.decode(small, 100)).toMatchObject({ width: 9 });
});
