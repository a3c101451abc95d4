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
    body: 'Two points.\n\n- minor: the title is long.\n\nThat is all.',
    remarks: [
      { path: 'src/a.js', line: 12, body: 'grave, an empty name is not handled.\nIt throws.\n\nTest it.' },
      { path: 'b.js', line: 3, body: 'important off by one' },
    ],
  });
});

test('code in a remark keeps what it is indented by, beyond the list item', () => {
  const text = `1. grave, \`a.py:2\`: write
   \`\`\`python
   if name:

       greet(name)
   \`\`\`
   - or raise
     ValueError

2. minor: the title is long.`;
  expect(splitReview(text)).toEqual({
    body: '2. minor: the title is long.',
    remarks: [
      {
        path: 'a.py',
        line: 2,
        body: 'grave, write\n```python\nif name:\n\n    greet(name)\n```\n- or raise\n  ValueError',
      },
    ],
  });
});

test('a paragraph after a remark stays one of its own, with one blank line before it', () => {
  const remark = '- `a.js:1`: wrong';
  const bodyOf = (text: string) => splitReview(text).body;
  expect(bodyOf(`- minor: long\n${remark}\n\nAll.`)).toBe('- minor: long\n\nAll.');
  expect(bodyOf(`One.\n\n${remark}\n\n\nAll.`)).toBe('One.\n\nAll.');
  expect(bodyOf(`- minor: long\n${remark}\n- minor: short`)).toBe('- minor: long\n- minor: short');
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
