import { expect, test } from 'vitest';
import { splitReview } from './remarks.ts';

test('list items that name a line become remarks there, with the lines that go on', () => {
  const text = `Two points.

- grave, \`src/a.js:12\`: an empty name is not handled.
  It throws.

  Test it.
- minor: the title is long.
1. important \`b.js:3\` off by one

That is all.`;
  expect(splitReview(text)).toEqual({
    body: 'Two points.\n\n- minor: the title is long.\n\nThat is all.'.replace(
      'long.\n\nThat',
      'long.\nThat',
    ),
    remarks: [
      { path: 'src/a.js', line: 12, body: 'grave, an empty name is not handled.\nIt throws.\n\nTest it.' },
      { path: 'b.js', line: 3, body: 'important off by one' },
    ],
  });
});

test.each([
  ['no list item', 'See `a.js:12`: wrong.'],
  ['a place outside of the repository', '- `/etc/passwd:1`: wrong\n- `a/../../b:1`: wrong'],
  ['a place without words', '- `a.js:12`'],
  ['in code', '```\n- `a.js:12`: wrong\n```'],
  ['no line', '- `a.js`: wrong\n- `http://x.example`: wrong'],
])('%s is none', (_, text) => {
  expect(splitReview(text)).toEqual({ body: text, remarks: [] });
});

test('no more than fifty', () => {
  const line = (n: number) => `- \`a.js:${n + 1}\`: wrong`;
  const { body, remarks } = splitReview(Array.from({ length: 60 }, (_, n) => line(n)).join('\n'));
  expect(remarks).toHaveLength(50);
  expect(body.split('\n')).toHaveLength(10);
});
