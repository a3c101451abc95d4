import { expect, test } from 'vitest';
import type { Snapshot } from '../flows/changes.ts';
import { seenOf, withSeen } from './seen-items.ts';

const snapshot = (title: string): Snapshot => ({
  title,
  bodyHash: '',
  state: 'open',
  labels: [],
  assignees: [],
  commentIds: [],
  headSha: null,
  baseRef: null,
  draft: false,
  merged: false,
  reviews: [],
  ci: { state: 'none', failed: [] },
});
const issue = { kind: 'issue', number: 5 } as const;
const pull = { kind: 'pull', number: 5 } as const;

test('issue 5 and pull request 5 of one conversation are seen apart', () => {
  expect(seenOf(null, issue)).toBeNull();
  const stored = withSeen(withSeen(null, [{ item: issue, snapshot: snapshot('issue') }]), [
    { item: pull, snapshot: snapshot('pull') },
  ]);
  expect(seenOf(stored, issue)?.title).toBe('issue');
  expect(seenOf(stored, pull)?.title).toBe('pull');
});

test('what a release before kinds kept by number is still known, until it is seen again', () => {
  const before = JSON.stringify({ 5: snapshot('of then'), 6: snapshot('other') });
  expect(seenOf(before, issue)?.title).toBe('of then');
  const after = withSeen(before, [{ item: issue, snapshot: snapshot('now') }]);
  expect(seenOf(after, issue)?.title).toBe('now');
  expect(seenOf(after, { kind: 'pull', number: 6 })?.title).toBe('other');
  expect(Object.keys(JSON.parse(after))).toEqual(['6', 'issue/5']);
});
