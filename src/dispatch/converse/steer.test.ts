import { expect, test } from 'vitest';
import { splitHeard } from './steer.ts';

const handed = (input: string, taken = true) => ({ input, text: input, taken });
const all = [
  handed('a'),
  { input: 'nothing new', text: null, taken: false },
  handed('b', false),
  handed('c'),
];

test('what stands in the transcript was read; from the first that does not, all go on waiting', () => {
  expect(splitHeard(all, ['a', 'b', 'c'])).toEqual({ read: all, unread: [] });
  expect(splitHeard(all, ['a', 'c'])).toEqual({ read: all.slice(0, 2), unread: all.slice(2) });
  expect(splitHeard(all, [])).toEqual({ read: [], unread: all });
});

test('where the transcript cannot be read, what the CLI said counts', () => {
  expect(splitHeard(all, null)).toEqual({ read: all.slice(0, 2), unread: all.slice(2) });
});
