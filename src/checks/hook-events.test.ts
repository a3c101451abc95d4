import { expect, test } from 'vitest';
import type { Flow } from '../config/config.ts';
import type { ForgeKind } from '../forges/registry.ts';
import type { ForgeEventName } from '../vocabulary.ts';
import { missingEvents } from './hook-events.ts';

const accounts = { dev: { login: 'dev-bot', token: 't' } };

function flow(on: ForgeEventName[], changes: Partial<Flow> = {}): Flow {
  return {
    name: 'work',
    file: 'flows/work.yaml',
    on,
    clauses: [],
    agent: 'dev',
    skill: 's',
    with: {},
    priority: 50,
    enabled: true,
    ...changes,
  };
}

function missing(kind: ForgeKind, events: string[], flows: Flow[]): string[] {
  return missingEvents({ events }, { kind, accounts }, flows).map((m) => m.subscription);
}

test('a comment on a pull request is another subscription than one on an issue', () => {
  expect(missing('forgejo', ['issue_comment'], [flow(['comment.created'])])).toEqual([
    'pull_request_comment',
  ]);
});

test('a hook for issues alone does not send assignments', () => {
  expect(missing('forgejo', ['issues'], [flow(['issue.assigned', 'issue.opened'])])).toEqual([
    'issue_assign',
  ]);
});

test('Forgejo sends a review that only comments under the subscription to comments', () => {
  const reviews = ['pull_request_review_approved', 'pull_request_review_rejected'];
  expect(missing('forgejo', reviews, [flow(['review.submitted'])])).toEqual(['pull_request_review']);
  expect(missing('forgejo', [...reviews, 'pull_request_comment'], [flow(['review.submitted'])])).toEqual([]);
  expect(missing('gitea', reviews, [flow(['review.submitted'])])).toEqual([]);
});

test('CI of Gitea comes as workflow_run or status, of Forgejo as action_run_*', () => {
  const flows = [flow(['ci.failed'])];
  expect(missing('gitea', [], flows)).toEqual(['workflow_run']);
  expect(missing('gitea', ['status'], flows)).toEqual([]);
  expect(missing('forgejo', ['workflow_run'], flows)).toEqual(['action_run_failure']);
});

test('flows that are off, or whose agent has no account there, need nothing', () => {
  const flows = [flow(['push'], { enabled: false }), flow(['push'], { agent: 'reviewer' })];
  expect(missing('forgejo', [], flows)).toEqual([]);
});

test('each subscription names the flows that wait for it', () => {
  const flows = [flow(['push']), flow(['push'], { name: 'other' })];
  expect(missingEvents({ events: [] }, { kind: 'forgejo', accounts }, flows)).toEqual([
    { subscription: 'push', flows: ['work', 'other'] },
  ]);
});
