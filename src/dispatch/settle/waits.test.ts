import { expect, test } from 'vitest';
import { limitEnd, MOST_TROUBLES, outageEnd, troubleEnd } from './waits.ts';

const now = 1_700_000_000_000;
const limit = { status: 429, until: null, retryMs: 0 };

test.each([
  [401, 300],
  [402, 300],
  [403, 300],
  [429, 60],
  [529, 30],
])(
  '%i without a named end waits %i s, twice as long after each limit, an hour at most',
  (status, seconds) => {
    const wait = (earlier: number) => limitEnd({ ...limit, status }, { earlier, now }) - now;
    expect([0, 1, 2].map(wait)).toEqual([seconds * 1000, seconds * 2000, seconds * 4000]);
    expect(wait(20)).toBe(3_600_000);
  },
);

test('a named end is kept, however often it was met', () => {
  expect(limitEnd({ ...limit, until: now + 7_200_000 }, { earlier: 9, now })).toBe(now + 7_200_000);
});

test('a named end that is over by our clock is no reason to ask again at once', () => {
  expect(limitEnd({ ...limit, until: now - 5000 }, { earlier: 0, now })).toBe(now + 60_000);
});

test('a longer wait that the model asked for between two requests is kept', () => {
  expect(limitEnd({ ...limit, status: 529, retryMs: 45_000 }, { earlier: 0, now })).toBe(now + 45_000);
  expect(limitEnd({ ...limit, status: 529, retryMs: 45_000 }, { earlier: 1, now })).toBe(now + 60_000);
});

test('trouble is waited for from 10 s on, about 20 minutes in all', () => {
  const waits = Array.from({ length: MOST_TROUBLES - 1 }, (_, earlier) => troubleEnd({ earlier, now }) - now);
  expect(waits[0]).toBe(10_000);
  expect(waits.reduce((a, b) => a + b)).toBe(1_270_000);
});

test('an outage is waited for without end, a quarter of an hour at most at a time, or as long as was asked', () => {
  const wait = (earlier: number, asked: number | null = null) => outageEnd({ earlier, asked, now }) - now;
  expect([0, 1, 2].map((earlier) => wait(earlier))).toEqual([10_000, 20_000, 40_000]);
  expect([20, 5000].map((earlier) => wait(earlier))).toEqual([900_000, 900_000]);
  expect(wait(0, 120)).toBe(120_000);
});
