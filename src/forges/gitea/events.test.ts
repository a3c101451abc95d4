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
  SYNCHRONIZED,
} from '../../../test/fixtures/bodies.ts';

describe('sets instead of deltas', () => {
  test('assigned gives the complete set of assignees, label_updated of labels, everything else nothing', () => {
    expect(eventOf('forgejo', 'issue_assign', fixture(ASSIGNED)).added).toEqual({
      assignees: ['pear-bot', 'Bo'],
      labels: [],
    });
    expect(eventOf('forgejo', 'issue_label', fixture(LABELED)).added).toEqual({
      assignees: [],
      labels: ['bug', 'ready for agent'],
    });
    const unassigned = changed(ASSIGNED, { action: 'unassigned' });
    expect(eventOf('forgejo', 'issue_assign', unassigned).added).toEqual({ assignees: [], labels: [] });
  });

  test('assignees may be null; the deprecated single assignee counts only then', () => {
    const without = changed(ASSIGNED, { 'issue.assignees': null, 'issue.assignee': null });
    expect(eventOf('forgejo', 'issue_assign', without).item?.assignees).toEqual([]);
    const old = changed(ASSIGNED, { 'issue.assignees': null });
    expect(eventOf('forgejo', 'issue_assign', old).item?.assignees).toEqual(['pear-bot']);
  });
});

describe('mentions', () => {
  test('neither in code nor in mail addresses, and in lower case', () => {
    expect(eventOf('forgejo', 'issues', fixture(ISSUE)).mentions).toEqual(['pear-bot']);
    expect(eventOf('forgejo', 'pull_request_review_approved', fixture(APPROVED)).mentions).toEqual([
      'pear-bot',
    ]);
    const rejected = fixture('forgejo/built-review-rejected');
    expect(eventOf('forgejo', 'pull_request_review_rejected', rejected).mentions).toEqual([]);
  });

  test('an edit mentions only whom the old text did not, so that a ticked checkbox wakes nobody', () => {
    expect(eventOf('forgejo', 'pull_request_comment', fixture(EDITED)).mentions).toEqual(['ada']);
    const same = changed(EDITED, { 'changes.body.from': fixture(EDITED).comment.body });
    expect(eventOf('forgejo', 'pull_request_comment', same).mentions).toEqual([]);
  });

  test('an edit of the title mentions nobody anew', () => {
    const body = { ...changed(ISSUE, { action: 'edited' }), changes: { title: { from: 'WIP: old' } } };
    expect(eventOf('forgejo', 'issues', body).mentions).toEqual([]);
  });

  test('closing, labelling or deleting something with a mention in it mentions nobody', () => {
    expect(eventOf('forgejo', 'issues', changed(ISSUE, { action: 'closed' })).mentions).toEqual([]);
    expect(eventOf('forgejo', 'issue_label', fixture(LABELED)).mentions).toEqual([]);
    const deleted = changed(COMMENT, { action: 'deleted' });
    expect(eventOf('forgejo', 'pull_request_comment', deleted).mentions).toEqual([]);
  });
});

describe('pull requests: where the head really is', () => {
  const pullOf = (fields: Json) => eventOf('forgejo', 'pull_request', changed(PULL, fields)).pull!;

  test('a branch of the repository itself', () => {
    expect(pullOf({})).toEqual({
      headSha: '36b5813240a9d2daa29b05046d56a53e18f39a3e',
      headRef: '6543-patch-1',
      headRepository: 'test_it/test_ci_thing',
      baseRef: 'main',
      baseSha: '67012991d6c69b1c58378346fca366b864d8d1a1',
      merged: false,
      draft: false,
      fork: false,
      requestedReviewers: [],
    });
  });

  test('a fork, and a fork that is gone', () => {
    const fork = { 'pull_request.head.repo.id': 9, 'pull_request.head.repo.full_name': 'eve/x' };
    expect(pullOf(fork)).toMatchObject({ fork: true, headRepository: 'eve/x' });
    const gone = { 'pull_request.head.repo': null, 'pull_request.head.repo_id': -1 };
    expect(pullOf(gone)).toMatchObject({ fork: true, headRepository: null });
  });

  test('a trimmed head is judged by its repo_id', () => {
    const event = eventOf('forgejo', 'pull_request_sync', fixture(SYNCHRONIZED));
    expect(event.pull).toMatchObject({ fork: false, headRepository: 'Test-CI/multi-line-secrets' });
  });

  test('an AGit pull request counts as a fork although its repository is the base', () => {
    expect(pullOf({ 'pull_request.flow': 1 }).fork).toBe(true);
    const old = { 'pull_request.flow': undefined, 'pull_request.head.ref': 'refs/pull/1/head' };
    expect(pullOf(old).fork).toBe(true);
    // Gitea's, closed: no flow, and a label without a name. A deleted branch keeps its name there.
    const closed = { ...old, 'pull_request.state': 'closed', 'pull_request.head.label': '' };
    expect(pullOf(closed).fork).toBe(true);
    expect(pullOf({ ...closed, 'pull_request.head.label': 'topic' }).fork).toBe(false);
  });

  test('a deleted branch leaves refs/pull/N/head and is no fork', () => {
    const fields = { 'pull_request.head.ref': 'refs/pull/1/head', 'pull_request.state': 'closed' };
    expect(pullOf(fields)).toMatchObject({ headRef: 'refs/pull/1/head', fork: false });
  });

  test('a merge shows only as merged=true in closed', () => {
    const event = eventOf('forgejo', 'pull_request', fixture('forgejo/HookPullRequestMerged'));
    expect(event).toMatchObject({ name: 'pull.merged', item: { state: 'closed' }, pull: { merged: true } });
  });

  test('where the server sends no draft flag, the title prefix says it', () => {
    const wip = (title: string) => pullOf({ 'pull_request.draft': undefined, 'pull_request.title': title });
    expect(wip('WIP: pears').draft).toBe(true);
    expect(wip('[wip] pears').draft).toBe(true);
    expect(wip('Wipe pears').draft).toBe(false);
  });

  test('a team review request is one event per member, each with its own reviewer and key', () => {
    const body = fixture('gitea/HookPullRequestAddReviewRequest');
    const first = eventOf('gitea', 'pull_request_review_request', body);
    const other = { ...body, requested_reviewer: { ...body.requested_reviewer, id: 77, login: 'cy' } };
    const second = eventOf('gitea', 'pull_request_review_request', other);
    expect(first.requestedReviewer).toBe(body.requested_reviewer.login);
    expect(second.requestedReviewer).toBe('cy');
    expect(second.semanticKey).not.toBe(first.semanticKey);
  });
});
