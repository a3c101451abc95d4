import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fenced, oneLine } from './fence.ts';

test('a fence says whose text it holds', () => {
  expect(fenced('Hello\r\n', 'comment by alice')).toBe('``` comment by alice\nHello\n```');
  expect(fenced(null, undefined)).toBe('```\n(empty)\n```');
});

test('a text with fences gets a longer one', () => {
  expect(fenced('```js\nx\n```', 'comment by a`b\n```c')).toBe(
    "```` comment by a'b '''c\n```js\nx\n```\n````",
  );
});

test('no text can close its fence', () => {
  const text = fc.array(fc.constantFrom('`', '``', '```', '````', '\n', '\r', ' ', '~~~', 'x'), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(text, text, (parts, label) => {
      const [opening, ...rest] = fenced(parts.join(''), label.join('')).split('\n');
      const fence = /^`+/.exec(opening!)![0];
      expect(opening!.slice(fence.length)).not.toContain('`');
      const closing = rest.findIndex((line) => line.trimStart().startsWith(fence));
      expect(closing).toBe(rest.length - 1);
    }),
  );
});

test('any number of runs of backticks has its fence', () => {
  expect(fenced('` '.repeat(131_072), 'comment by eve')).toMatch(/^``` comment by eve\n/);
  expect(fenced('`'.repeat(262_144), '').split('\n')[0]).toHaveLength(262_145);
});

test('one line stays one line', () => {
  expect(oneLine('a\r\n\tb\u2028c\u0000d')).toBe('a b c d');
  expect(oneLine('x'.repeat(300))).toHaveLength(200);
});
