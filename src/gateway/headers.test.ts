import { expect, test } from 'vitest';
import { inwardHeaders } from './headers.ts';

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

test.each([
  ['a number of seconds', { 'retry-after': '8' }, 8],
  ['a fraction', { 'retry-after': '0.5' }, 1],
  ['milliseconds, as the API writes them besides', { 'retry-after-ms': '7500', 'retry-after': '7' }, 8],
  ['a date', { 'retry-after': inSeconds(600) }, 600],
  ['a date that is over', { 'retry-after': inSeconds(-600) }, 0],
])('a wait reaches the CLI in whole seconds: %s', (_, headers, seconds) => {
  const sent = Number(inwardHeaders(headers, [])['retry-after']);
  expect(sent).toBeGreaterThan(seconds - 10);
  expect(sent).toBeLessThanOrEqual(seconds);
  expect(inwardHeaders(headers, [])).not.toHaveProperty('retry-after-ms');
});

test('what is no wait is passed on as it is', () => {
  expect(inwardHeaders({ 'retry-after': 'key-2031' }, [])).toEqual({ 'retry-after': 'key-2031' });
  expect(inwardHeaders({ 'retry-after': 'soon' }, [])).toEqual({ 'retry-after': 'soon' });
});
