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
  type Kind,
  LABELED,
  PULL,
  parse,
  RUN_FAILED,
  STATUS,
  SYNCHRONIZED,
  WORKFLOW_RUN,
} from '../../../test/fixtures/bodies.ts';
import { parseGiteaFamilyDelivery } from './delivery.ts';

describe('every kind of delivery becomes its event', () => {
  test.each([
    ['forgejo', 'issues', ISSUE, {}, 'issue.opened'],
    ['forgejo', 'issues', ISSUE, { action: 'closed', 'issue.state': 'closed' }, 'issue.closed'],
    ['forgejo', 'issues', ISSUE, { action: 'reopened' }, 'issue.reopened'],
    ['forgejo', 'issues', ISSUE, { action: 'edited' }, 'issue.edited'],
    ['forgejo', 'issue_assign', ASSIGNED, {}, 'issue.assigned'],
    ['forgejo', 'issue_assign', ASSIGNED, { action: 'unassigned' }, 'issue.unassigned'],
    ['forgejo', 'issue_label', LABELED, {}, 'issue.labeled'],
    ['forgejo', 'issue_label', LABELED, { action: 'label_cleared', 'issue.labels': [] }, 'issue.labeled'],
    ['forgejo', 'pull_request_comment', COMMENT, {}, 'comment.created'],
    ['forgejo', 'pull_request_comment', EDITED, {}, 'comment.edited'],
    ['forgejo', 'pull_request_comment', COMMENT, { action: 'deleted' }, 'comment.deleted'],
    ['forgejo', 'pull_request', PULL, { action: 'opened' }, 'pull.opened'],
    ['forgejo', 'pull_request', PULL, {}, 'pull.reopened'],
    ['forgejo', 'pull_request', 'forgejo/HookPullRequestEdited', {}, 'pull.edited'],
    ['forgejo', 'pull_request', 'forgejo/HookPullRequestClosed', {}, 'pull.closed'],
    ['forgejo', 'pull_request', 'forgejo/HookPullRequestMerged', {}, 'pull.merged'],
    ['forgejo', 'pull_request_sync', SYNCHRONIZED, {}, 'pull.synchronized'],
    ['forgejo', 'pull_request_assign', 'forgejo/HookPullRequestAssigneesAdded', {}, 'pull.assigned'],
    ['forgejo', 'pull_request_assign', PULL, { action: 'unassigned' }, 'pull.unassigned'],
    ['forgejo', 'pull_request_label', 'forgejo/HookPullRequestLabelsUpdated', {}, 'pull.labeled'],
    ['forgejo', 'pull_request_review_approved', APPROVED, {}, 'review.submitted'],
    ['forgejo', 'push', 'forgejo/HookPushMulti', {}, 'push'],
    ['forgejo', 'action_run_failure', RUN_FAILED, {}, 'ci.failed'],
    ['forgejo', 'action_run_success', 'forgejo/built-action-run-success', {}, 'ci.succeeded'],
    [
      'gitea',
      'pull_request_review_request',
      'gitea/HookPullRequestAddReviewRequest',
      {},
      'pull.review_requested',
    ],
    [
      'gitea',
      'pull_request_review_request',
      'gitea/HookPullRequestAddReviewRequest',
      { action: 'review_request_removed' },
      'pull.review_request_removed',
    ],
    ['gitea', 'pull_request', 'gitea/HookPullRequestChangeBody', {}, 'pull.edited'],
    ['gitea', 'issues', 'gitea/issues_closed', {}, 'issue.closed'],
    ['gitea', 'issue_comment', 'gitea/issue_comment_created', {}, 'comment.created'],
    ['gitea', 'issue_comment', 'gitea/issue_comment_edited', {}, 'comment.edited'],
    ['gitea', 'issue_comment', 'gitea/issue_comment_deleted', {}, 'comment.deleted'],
    ['gitea', 'workflow_run', WORKFLOW_RUN, {}, 'ci.failed'],
    ['gitea', 'workflow_run', WORKFLOW_RUN, { 'workflow_run.conclusion': 'success' }, 'ci.succeeded'],
    ['gitea', 'status', STATUS, {}, 'ci.failed'],
    ['gitea', 'status', STATUS, { state: 'success' }, 'ci.succeeded'],
  ] as [Kind, string, string, Json, string][])('%s %s %s %j → %s', (kind, type, path, fields, name) => {
    const event = eventOf(kind, type, changed(path, fields));
    expect(event.name).toBe(name);
    expect(event.forge).toBe('home');
    expect(event.semanticKey).toContain(`:${name}:`);
  });

  test('an issue arrives whole', () => {
    expect(eventOf('forgejo', 'issues', fixture(ISSUE))).toEqual({
      name: 'issue.opened',
      forge: 'home',
      repository: {
        id: '42',
        fullName: 'orchard/pears',
        defaultBranch: 'main',
        cloneUrl: 'https://forge.example.org/orchard/pears.git',
        htmlUrl: 'https://forge.example.org/orchard/pears',
        private: false,
      },
      item: {
        kind: 'issue',
        number: 5,
        title: 'Pears fall too early',
        body: expect.stringContaining('@pear-bot'),
        state: 'open',
        htmlUrl: 'https://forge.example.org/orchard/pears/issues/5',
        author: { id: 11, login: 'ada' },
        labels: [],
        assignees: [],
      },
      sender: { id: 11, login: 'ada' },
      pull: null,
      comment: null,
      review: null,
      ci: null,
      push: null,
      requestedReviewer: null,
      mentions: ['pear-bot'],
      added: { assignees: [], labels: [] },
      occurredAt: '2026-05-04T08:00:00Z',
      semanticKey: expect.stringMatching(/^42:issue\.opened:issue:5:[0-9a-f]{32}$/),
    });
  });

  test('a comment on a pull request arrives with the item and the pull request', () => {
    const event = eventOf('forgejo', 'pull_request_comment', fixture(COMMENT));
    expect(event).toMatchObject({
      item: { kind: 'pull', number: 6, author: { id: 20, login: 'pear-bot' } },
      pull: {
        headSha: '2'.repeat(40),
        headRef: 'agent/issue-5',
        baseRef: 'main',
        fork: false,
        merged: false,
      },
      comment: { id: 501, body: '@Pear-Bot, why three lines?', author: { id: 12, login: 'Bo' } },
      mentions: ['pear-bot'],
    });
  });
});

describe('what is ignored says why', () => {
  test.each([
    ['forgejo', 'release', 'forgejo/HookRelease', {}, /release/],
    ['forgejo', 'package', 'forgejo/HookRelease', {}, /package/],
    ['gitea', 'delete', 'gitea/branch_delete', {}, /delete/],
    ['gitea', 'workflow_job', WORKFLOW_RUN, {}, /workflow_job/],
    ['forgejo', 'issue_milestone', ISSUE, { action: 'milestoned' }, /milestoned/],
    ['forgejo', 'pull_request_milestone', PULL, { action: 'demilestoned' }, /demilestoned/],
    ['gitea', 'issues', ISSUE, { action: 'deleted' }, /deleted/],
    ['forgejo', 'issues', ISSUE, { action: 'constructor' }, /constructor/],
    ['forgejo', 'action_run_failure', RUN_FAILED, { 'run.status': 'cancelled' }, /cancelled/],
    ['forgejo', 'action_run_failure', RUN_FAILED, { 'run.status': 'skipped' }, /skipped/],
    ['gitea', 'workflow_run', WORKFLOW_RUN, { action: 'in_progress' }, /in_progress/],
    ['gitea', 'workflow_run', WORKFLOW_RUN, { 'workflow_run.conclusion': 'cancelled' }, /cancelled/],
    ['gitea', 'status', STATUS, { description: 'Has been cancelled' }, /cancelled/],
    ['gitea', 'status', STATUS, { state: 'pending' }, /pending/],
    ['forgejo', 'status', STATUS, {}, /status/],
    ['gitea', 'action_run_failure', RUN_FAILED, {}, /action_run_failure/],
    ['forgejo', 'toString', ISSUE, {}, /toString/],
  ] as [Kind, string, string, Json, RegExp][])('%s %s %s %j', (kind, type, path, fields, reason) => {
    expect(parse(kind, type, changed(path, fields))).toEqual({
      kind: 'ignored',
      reason: expect.stringMatching(reason),
    });
  });

  test.each([
    [
      'a test delivery, whose before equals after',
      { before: 'a'.repeat(40), after: 'a'.repeat(40) },
      /tests a webhook/,
    ],
    ['a deleted branch', { after: '0'.repeat(40) }, /deleted/],
    ['a deleted tag', { ref: 'refs/tags/v1', after: '0'.repeat(40) }, /refs\/tags\/v1/],
    ['a new tag', { ref: 'refs/tags/v1', before: '0'.repeat(40) }, /refs\/tags\/v1/],
  ])('%s', (_what, fields, reason) => {
    expect(parse('forgejo', 'push', changed('forgejo/HookPushMulti', fields))).toEqual({
      kind: 'ignored',
      reason: expect.stringMatching(reason),
    });
  });

  test('a new branch is a push although before is all zeros', () => {
    expect(eventOf('forgejo', 'push', fixture('forgejo/HookPushBranch')).push).toEqual({
      ref: 'refs/heads/fdsafdsa',
      before: '0'.repeat(40),
      after: '28c3613ae62640216bea5e7dc71aa65356e4298b',
    });
  });

  test('deliveries of other forges', () => {
    const headers = { kind: 'github', deliveryId: 'd', event: 'issues', eventType: 'issues' } as const;
    expect(parseGiteaFamilyDelivery('home', headers, Buffer.from('{}'))).toMatchObject({ kind: 'ignored' });
  });
});

describe('names that collide', () => {
  test('pull_request_comment as coarse name is a review, as fine name a comment', () => {
    const review = changed('forgejo/built-review-comment', { 'review.type': 'pull_request_comment' });
    expect(eventOf('gitea', 'pull_request_comment', review)).toMatchObject({
      name: 'review.submitted',
      review: { verdict: 'commented' },
    });
    expect(eventOf('forgejo', 'pull_request_comment', fixture(COMMENT)).name).toBe('comment.created');
  });

  test('a review: verdict and text, no id; the reviewer is the sender and nobody is requested', () => {
    for (const [path, verdict] of [
      ['gitea/HookPullRequestReviewAck', 'approved'],
      ['gitea/HookPullRequestReviewDeny', 'changes_requested'],
      ['gitea/HookPullRequestReviewComment', 'commented'],
      ['forgejo/built-review-comment', 'commented'],
    ] as const) {
      const body = fixture(path);
      const event = eventOf('gitea', body.review.type, body);
      expect(event).toMatchObject({
        name: 'review.submitted',
        review: { verdict, body: body.review.content },
        sender: { id: body.sender.id },
        item: { kind: 'pull' },
        requestedReviewer: null,
      });
    }
  });

  test('a review without its review object falls back on the event name; an unknown kind is malformed', () => {
    const body = changed(APPROVED, { review: null });
    expect(eventOf('forgejo', 'pull_request_review_rejected', body).review).toEqual({
      verdict: 'changes_requested',
      body: '',
    });
    const odd = changed(APPROVED, { 'review.type': 'constructor' });
    expect(parse('forgejo', 'pull_request_review_approved', odd)).toMatchObject({ kind: 'malformed' });
  });

  test('a reply to an inline comment is an ordinary comment.created', () => {
    expect(eventOf('forgejo', 'pull_request_comment', fixture(COMMENT)).comment?.id).toBe(501);
  });
});

describe('times, deleted users and bodies that are not what they should be', () => {
  test.each(['0001-01-01T00:00:00Z', '1970-01-01T01:00:00+01:00', '1969-12-31T19:00:00-05:00', 'soon', null])(
    'the time %j means unset',
    (time) => {
      expect(eventOf('forgejo', 'issues', changed(ISSUE, { 'issue.updated_at': time })).occurredAt).toBe('');
    },
  );

  test('a deleted author is the ghost', () => {
    expect(eventOf('forgejo', 'issues', changed(ISSUE, { 'issue.user': null })).item?.author.id).toBe(-1);
  });

  test('a repository of unknown visibility counts as private', () => {
    expect(
      eventOf('forgejo', 'issues', changed(ISSUE, { 'repository.private': undefined })).repository.private,
    ).toBe(true);
  });

  test.each([
    ['not JSON', Buffer.from('payload=%7B%7D'), /not JSON/],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not JSON/],
    ['empty', Buffer.from(''), /not JSON/],
    ['null', null, /the body/],
    ['a list', [], /the body/],
    ['without a repository', changed(ISSUE, { repository: undefined }), /repository/],
    ['with a number that is text', changed(ISSUE, { 'issue.number': '5' }), /issue\.number/],
    ['with sender null', changed(ISSUE, { sender: null }), /sender/],
  ])('a body %s is malformed, and the sentence says what is wrong', (_what, body, sentence) => {
    expect(parse('forgejo', 'issues', body)).toEqual({
      kind: 'malformed',
      error: expect.stringMatching(new RegExp(`${sentence.source}.*report it`)),
    });
  });
});
