import { createHmac } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BodyDigests } from '../security.ts';
import { InFlight } from './in-flight.ts';
import { type BodyReading, readBody } from './read-body.ts';

const SIGNED = Buffer.from('a'.repeat(200_000));

function reading(body: Readable, partial: Partial<BodyReading> = {}): BodyReading {
  return {
    body,
    maxBytes: 1_000_000,
    digests: new BodyDigests(['a secret']),
    share: new InFlight(1_000_000).open('192.0.2.1'),
    patience: { windowMs: 60, windowBytes: 1000, totalMs: 400 },
    ...partial,
  };
}

function inPieces(bytes: Uint8Array, size: number): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}

const refusal = (status: number, code: string) => ({ name: 'RequestRefused', status, code });

test('comes as it was sent', async () => {
  const pieces = await readBody(reading(inPieces(SIGNED, 7000)));
  expect(Buffer.concat(pieces)).toEqual(SIGNED);
});

test('one that drips is cut after a window; one that stops, too', async () => {
  const dripping = new PassThrough();
  const drip = setInterval(() => dripping.write('a'), 5);
  await expect(readBody(reading(dripping))).rejects.toMatchObject(refusal(408, 'too-slow'));
  clearInterval(drip);
  await expect(readBody(reading(new PassThrough()))).rejects.toMatchObject(refusal(408, 'too-slow'));
});

test('one that keeps its pace is cut at the end of the whole time', async () => {
  const steady = new PassThrough();
  const write = setInterval(() => steady.write(Buffer.alloc(2000)), 10);
  await expect(readBody(reading(steady))).rejects.toMatchObject(refusal(408, 'too-slow'));
  clearInterval(write);
});

test('without an end, the sender has gone; without anything, there is nothing to store', async () => {
  const gone = new PassThrough();
  gone.write('abc');
  const cut = readBody(reading(gone));
  await sleep(5);
  gone.destroy();
  await expect(cut).rejects.toMatchObject(refusal(400, 'cut-off'));
  await expect(readBody(reading(Readable.from([])))).rejects.toMatchObject(refusal(400, 'empty-body'));
});

test('reads no further once it is refused', async () => {
  let read = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read++;
        yield Buffer.alloc(10_000);
      }
    })(),
    { objectMode: false },
  );
  await expect(readBody(reading(endless))).rejects.toMatchObject(refusal(413, 'too-large'));
  await sleep(20);
  expect(read).toBeLessThan(130);
});

test('with hundreds of secrets the digest is that of the whole body, and other work goes on between', async () => {
  const secrets = Array.from({ length: 400 }, (_, n) => `secret ${n}`);
  const digests = new BodyDigests(secrets);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const patience = { windowMs: 20_000, windowBytes: 1000, totalMs: 20_000 };
  await readBody(reading(inPieces(SIGNED, 65_536), { digests, patience }));
  clearInterval(counting);
  expect(turns).toBeGreaterThan(5);
  const sent = createHmac('sha256', 'secret 399').update(SIGNED).digest();
  expect(digests.signedWith(sent)).toBe(399);
});
