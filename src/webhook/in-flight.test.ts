import { expect, test } from 'vitest';
import { InFlight, senderOf } from './in-flight.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

test('one address may hold two of the largest bodies, all together four; what is released is there again', () => {
  const held = new InFlight(MIB);
  const ada = held.open('192.0.2.1');
  expect(ada.take(MIB)).toBeNull();
  expect(ada.take(MIB)).toBeNull();
  expect(ada.take(65 * KIB)).toBe('address');
  const bo = held.open('192.0.2.2');
  expect(bo.take(2 * MIB)).toBeNull();
  expect(held.open('192.0.2.3').take(65 * KIB)).toBe('all');
  expect(held.bytes).toBe(4 * MIB);
  ada.release();
  ada.release();
  expect(held.bytes).toBe(2 * MIB);
  expect(held.open('192.0.2.1').take(2 * MIB)).toBeNull();
});

test('the first 64 KiB of a body find room where large bodies have taken all of theirs', () => {
  const held = new InFlight(MIB);
  expect(held.open('192.0.2.1').take(2 * MIB)).toBeNull();
  const small = held.open('192.0.2.1');
  expect(small.take(64 * KIB)).toBeNull();
  expect(small.take(1)).toBe('address');
});

test('many small bodies are limited, too', () => {
  const held = new InFlight(MIB);
  const full = Array.from({ length: 1000 }, () => held.open('192.0.2.1').take(64 * KIB));
  // 2 MiB for any body, and 8 MiB for small ones.
  expect(full.filter((answer) => answer === null)).toHaveLength(160);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:aaaa::1', '2001:db8:1:2'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['2001:0db8:0001:0002:0:0:0:9', '2001:db8:1:2'],
  ['2001:db8::7', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['unknown', 'unknown'],
])('%s counts as %s', (address, sender) => {
  expect(senderOf(address)).toBe(sender);
});
