import { expect, test } from 'vitest';
import { type ChangeWords, describeChanges, type Snapshot } from './changes.ts';

const before: Snapshot = {
  title: 'Totals are wrong',
  bodyHash: 'h1',
  state: 'open',
  labels: ['bug'],
  assignees: ['dev-bot'],
  commentIds: [1, 2],
  inlineIds: [7],
  headSha: 'a'.repeat(40),
  baseRef: 'main',
  draft: true,
  merged: false,
  reviews: [{ id: 9, author: 'alice', verdict: 'commented', commitId: 'a'.repeat(40) }],
  ci: { state: 'pending', failed: [] },
};

const words: ChangeWords = {
  title: (text) => `title(${text})`,
  name: (text) => `name(${text})`,
  job: (text) => `job(${text})`,
  reviewer: (login) => `reviewer(${login})`,
};

test('nothing to compare with, or nothing new', () => {
  expect(describeChanges(null, before, words)).toEqual([]);
  expect(describeChanges(before, structuredClone(before), words)).toEqual([]);
});

test('everything at once, most telling first; every word of people goes through the words', () => {
  const now: Snapshot = {
    title: 'Totals',
    bodyHash: 'h2',
    state: 'closed',
    labels: ['urgent', 'ui'],
    assignees: [],
    commentIds: [2, 3, 4],
    inlineIds: [7],
    headSha: 'b'.repeat(40),
    baseRef: 'release',
    draft: false,
    merged: false,
    reviews: [
      ...before.reviews,
      { id: 10, author: 'bob', verdict: 'changes_requested', commitId: 'b'.repeat(40) },
    ],
    ci: { state: 'failure', failed: ['build', 'lint'] },
  };
  expect(describeChanges(before, now, words)).toEqual([
    'It was closed.',
    'It is no longer a draft.',
    'The head commit moved from aaaaaaaaaa to bbbbbbbbbb.',
    'The base branch changed from name(main) to name(release).',
    'The title is now title(Totals).',
    'The description was edited.',
    'Labels added: name(urgent), name(ui).',
    'Labels removed: name(bug).',
    'Assignees removed: name(dev-bot).',
    'reviewer(bob) requested changes (commit bbbbbbbbbb).',
    'CI fails: job(build), job(lint).',
    'There are 2 new comments.',
    '1 comment was deleted.',
  ]);
});

test.each<[string, Partial<Snapshot>, string[]]>([
  ['merged', { merged: true, state: 'closed' }, ['It was merged.']],
  ['CI passes', { ci: { state: 'success', failed: [] } }, ['CI passes.']],
  [
    'the same CI state on another commit is news',
    { headSha: 'c'.repeat(40) },
    ['The head commit moved from aaaaaaaaaa to cccccccccc.', 'CI is running.'],
  ],
  ['a reply in a review', { inlineIds: [7, 8] }, ['There is 1 new inline comment.']],
  ['one comment', { commentIds: [1, 2, 5] }, ['There is 1 new comment.']],
  [
    'a review that became another verdict',
    { reviews: [{ id: 9, author: 'alice', verdict: 'approved', commitId: '' }] },
    ['reviewer(alice) approved.'],
  ],
])('%s', (_, change, sentences) => {
  expect(describeChanges(before, { ...before, ...change }, words)).toEqual(sentences);
});

test('an issue that got a pull request', () => {
  const issue: Snapshot = {
    ...before,
    headSha: null,
    baseRef: null,
    reviews: [],
    ci: { state: 'none', failed: [] },
  };
  const pull: Snapshot = { ...issue, headSha: 'd'.repeat(40), baseRef: 'main' };
  expect(describeChanges(issue, pull, words)).toEqual(['The head commit moved to dddddddddd.']);
});
