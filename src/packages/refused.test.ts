import { expect, test } from 'vitest';
import { reasonPhrase } from './refused.ts';

test('a reason phrase is one line of printable ASCII, and is cut at a word', () => {
  expect(reasonPhrase('It is not passed: a\r\nx-header: b, ü …')).toBe(
    'claude-hooks: It is not passed: a x-header: b,',
  );
  const long = reasonPhrase('word '.repeat(100));
  expect(long).toMatch(/^claude-hooks: (word )+\.\.\.$/);
  expect(long.length).toBeLessThanOrEqual(200);
});
