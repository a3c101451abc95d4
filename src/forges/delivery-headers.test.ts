import { describe, expect, test } from 'vitest';
import { readDeliveryHeaders } from './delivery-headers.ts';

const gitea = {
  'X-Gitea-Delivery': 'b1',
  'X-Gitea-Event': 'issues',
  'X-Gitea-Event-Type': 'issue_assign',
  'X-GitHub-Delivery': 'b1',
  'X-GitHub-Event': 'issues',
};

describe('readDeliveryHeaders', () => {
  test('a Forgejo delivery is Forgejo although it carries X-Gitea-* and X-GitHub-* too', () => {
    const headers = {
      ...gitea,
      'X-Forgejo-Delivery': 'a1',
      'X-Forgejo-Event': 'issue_comment',
      'X-Forgejo-Event-Type': 'pull_request_comment',
    };
    expect(readDeliveryHeaders(headers)).toEqual({
      kind: 'ok',
      headers: {
        kind: 'forgejo',
        deliveryId: 'a1',
        event: 'issue_comment',
        eventType: 'pull_request_comment',
      },
    });
  });

  test('a Gitea delivery is Gitea although it carries X-GitHub-* too, whatever the case of its header names', () => {
    const expected = {
      kind: 'ok',
      headers: { kind: 'gitea', deliveryId: 'b1', event: 'issues', eventType: 'issue_assign' },
    };
    expect(readDeliveryHeaders(new Headers(gitea))).toEqual(expected);
    expect(readDeliveryHeaders(gitea)).toEqual(expected);
  });

  test('without a fine name the coarse one stands in, as with GitHub, GitLab and old Gitea', () => {
    expect(readDeliveryHeaders({ 'x-gitea-event': 'issues', 'x-gitea-delivery': 'b' })).toMatchObject({
      headers: { eventType: 'issues' },
    });
    expect(readDeliveryHeaders({ 'x-github-event': 'issues', 'x-github-delivery': 'c' })).toMatchObject({
      headers: { kind: 'github', eventType: 'issues' },
    });
    const gitlab = { 'x-gitlab-event': 'Note Hook', 'x-gitlab-event-uuid': 'd', 'x-github-event': 'x' };
    expect(readDeliveryHeaders(gitlab)).toMatchObject({ headers: { kind: 'gitlab', deliveryId: 'd' } });
  });

  test('the empty X-Forgejo-Event of a package delivery still means Forgejo', () => {
    const headers = {
      'X-Forgejo-Event': '',
      'X-Forgejo-Event-Type': 'package',
      'X-Forgejo-Delivery': 'a2',
      'X-Gitea-Event': '',
      'X-GitHub-Event': '',
    };
    expect(readDeliveryHeaders(headers)).toEqual({
      kind: 'ok',
      headers: { kind: 'forgejo', deliveryId: 'a2', event: '', eventType: 'package' },
    });
  });

  test('a request of no forge is unknown, one without id or name is incomplete, and each says what is missing', () => {
    expect(readDeliveryHeaders({ host: 'x' })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('X-Forgejo-Event'),
    });
    expect(readDeliveryHeaders({ 'x-forgejo-event': 'push' })).toMatchObject({
      kind: 'incomplete',
      reason: expect.stringContaining('X-Forgejo-Delivery'),
    });
    expect(readDeliveryHeaders({ 'x-forgejo-event': '', 'x-forgejo-delivery': 'a' })).toMatchObject({
      kind: 'incomplete',
    });
    const long = { 'x-forgejo-event': 'push', 'x-forgejo-delivery': 'a'.repeat(201) };
    expect(readDeliveryHeaders(long)).toMatchObject({ kind: 'incomplete' });
  });
});
