import { expect, test } from 'vitest';
import { factorOf } from './support/patience.ts';

test('TEST_PATIENCE stretches every wait, and what is no factor is refused in words', () => {
  expect([undefined, '3', '0.5'].map(factorOf)).toEqual([1, 3, 0.5]);
  for (const text of ['', 'long', '0', '-1', '1000', 'NaN'])
    expect(() => factorOf(text)).toThrow(/give a number from 0.1 to 100, as in TEST_PATIENCE=3/);
});
