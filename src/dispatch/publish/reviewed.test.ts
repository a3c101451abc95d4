import { expect, test } from 'vitest';
import { reviewedCommit } from './reviewed.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

test.each([
  ['the commit of the beginning', { checkedOut: 3, began: A, now: A }, { kind: 'commit', sha: A }],
  ['after a crash, the one of the run', { checkedOut: 3, began: A, now: null }, { kind: 'commit', sha: A }],
])('%s', (_, checkout, expected) => {
  expect(reviewedCommit({ number: 3, ...checkout })).toEqual(expected);
});

test.each([
  ['the checkout ended elsewhere', { checkedOut: 3, began: A, now: B }],
  ['the checkout cannot be read any more', { checkedOut: 3, began: A, now: '' }],
  ['another pull request was in it', { checkedOut: 4, began: A, now: A }],
  ['the conversation is about an issue', { checkedOut: null, began: A, now: A }],
  ['nothing says what was in it', { checkedOut: 3, began: null, now: null }],
])('no verdict where %s', (_, checkout) => {
  expect(reviewedCommit({ number: 3, ...checkout })).toEqual({
    kind: 'withheld',
    why: expect.stringMatching(/^This is a comment and no verdict: .*Ask for a review/),
  });
});
