import { describe, expect, test } from 'vitest';
import {
  APPROVED,
  ASSIGNED,
  COMMENT,
  changed,
  EDITED,
  eventOf,
  fixture,
  ISSUE,
  type Json,
  LABELED,
  PULL,
  RUN_FAILED,
  SYNCHRONIZED,
} from '../../../test/fixtures/bodies.ts';

describe('one meaning, one key', () => {
  const key = (type: string, body: unknown, delivery?: string) =>
    eventOf('forgejo', type, body, delivery).semanticKey;

  test('a second hook or a replay has another delivery id and the same key', () => {
    for (const [type, path] of [
      ['issue_assign', ASSIGNED],
      ['pull_request_comment', COMMENT],
      ['pull_request', PULL],
      ['push', 'forgejo/HookPushMulti'],
      ['pull_request_review_approved', APPROVED],
      ['action_run_failure', RUN_FAILED],
    ] as const) {
      expect(key(type, fixture(path), 'd-2')).toBe(key(type, fixture(path), 'd-1'));
    }
  });

  test('the permissions in the body differ between hooks of one event and do not change the key', () => {
    const admin = changed(COMMENT, { 'repository.permissions': { admin: true, push: true, pull: true } });
    expect(key('pull_request_comment', admin)).toBe(key('pull_request_comment', fixture(COMMENT)));
  });

  test('a renamed repository keeps its keys, because they are made of its id', () => {
    const renamed = changed(ISSUE, { 'repository.full_name': 'orchard/apples' });
    expect(key('issues', renamed)).toBe(key('issues', fixture(ISSUE)));
  });

  test.each([
    ['another repository', 'issues', ISSUE, { 'repository.id': 43 }],
    ['another number', 'issues', ISSUE, { 'issue.number': 6 }],
    ['assigned again later', 'issue_assign', ASSIGNED, { 'issue.updated_at': '2026-05-04T10:09:00+02:00' }],
    [
      'two assigned in one second',
      'issue_assign',
      ASSIGNED,
      { 'issue.assignees': [{ id: 20, login: 'pear-bot' }] },
    ],
    ['assigned and unassigned in one second', 'issue_assign', ASSIGNED, { action: 'unassigned' }],
    ['other labels in one second', 'issue_label', LABELED, { 'issue.labels': [{ name: 'bug' }] }],
    [
      'closed again later',
      'pull_request',
      'forgejo/HookPullRequestClosed',
      { 'pull_request.updated_at': '2026-01-01T00:00:00Z' },
    ],
    [
      'another title in one second',
      'pull_request',
      'forgejo/HookPullRequestEdited',
      { 'pull_request.title': 'x' },
    ],
    [
      'another base in one second',
      'pull_request',
      'forgejo/HookPullRequestEdited',
      { 'pull_request.base.ref': 'x' },
    ],
    ['another head', 'pull_request_sync', SYNCHRONIZED, { 'pull_request.head.sha': 'f'.repeat(40) }],
    [
      'forced back to a head it had',
      'pull_request_sync',
      SYNCHRONIZED,
      { 'pull_request.updated_at': '2026-01-01T00:00:00Z' },
    ],
    ['another comment', 'pull_request_comment', COMMENT, { 'comment.id': 502 }],
    ['a second checkbox in one second', 'pull_request_comment', EDITED, { 'comment.body': '- [x] a' }],
    [
      'the same review again later',
      'pull_request_review_approved',
      APPROVED,
      { 'pull_request.updated_at': '2026-05-05T00:00:00Z' },
    ],
    ['the same review by another', 'pull_request_review_approved', APPROVED, { 'sender.id': 13 }],
    [
      'another verdict',
      'pull_request_review_approved',
      APPROVED,
      { 'review.type': 'pull_request_review_rejected' },
    ],
    ['another push', 'push', 'forgejo/HookPushMulti', { after: 'f'.repeat(40) }],
    [
      'the same push again after a force push',
      'push',
      'forgejo/HookPushMulti',
      { 'repository.updated_at': '2026-01-01T00:00:00Z' },
    ],
  ] as [string, string, string, Json][])('%s is another happening', (_what, type, path, fields) => {
    expect(key(type, changed(path, fields))).not.toBe(key(type, fixture(path)));
  });

  test('a comment is created once and a pull request merged once, whatever its updated_at says meanwhile', () => {
    const later = changed(COMMENT, { 'comment.updated_at': '2026-05-05T00:00:00Z' });
    expect(key('pull_request_comment', later)).toBe(key('pull_request_comment', fixture(COMMENT)));
    // Made up before the real one comes, it must not pass for its first telling.
    const otherWords = changed(COMMENT, { 'comment.body': 'other words' });
    expect(key('pull_request_comment', otherWords)).not.toBe(key('pull_request_comment', fixture(COMMENT)));
    const merged = 'forgejo/HookPullRequestMerged';
    const after = changed(merged, { 'pull_request.updated_at': '2026-05-05T00:00:00Z' });
    expect(key('pull_request', after)).toBe(key('pull_request', fixture(merged)));
  });
});
