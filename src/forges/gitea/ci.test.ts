import { describe, expect, test } from 'vitest';
import {
  changed,
  eventOf,
  fixture,
  RUN_FAILED,
  STATUS,
  WORKFLOW_RUN,
} from '../../../test/fixtures/bodies.ts';

describe('CI', () => {
  test('action_run has no repository and no sender of its own: both come from the run', () => {
    const event = eventOf('forgejo', 'action_run_failure', fixture(RUN_FAILED));
    expect(event).toMatchObject({
      repository: { id: '42' },
      sender: { id: 20, login: 'pear-bot' },
      ci: { status: 'failure', workflow: 'test.yml', headSha: '2'.repeat(40) },
    });
  });

  test('the pull request comes from event_payload, or as a bare number from there or from prettyref', () => {
    const whole = eventOf('forgejo', 'action_run_failure', fixture(RUN_FAILED));
    expect(whole).toMatchObject({
      item: { number: 6, title: 'Keep pears on the tree' },
      pull: { fork: false },
    });
    const bare = {
      item: { kind: 'pull', number: 6, title: '', body: '', htmlUrl: '', labels: [], assignees: [] },
      pull: null,
    };
    expect(
      eventOf('forgejo', 'action_run_success', fixture('forgejo/built-action-run-success')),
    ).toMatchObject(bare);
    const trimmed = changed(RUN_FAILED, {
      'run.event_payload': '{"pull_request":{"number":6}}',
      'run.prettyref': 'main',
    });
    expect(eventOf('forgejo', 'action_run_failure', trimmed)).toMatchObject(bare);
  });

  test.each([
    ['not json', 'main'],
    ['null', 'v1.2#3'],
    ['{"pull_request":{"number":-1}}', '#0'],
  ])('no pull request in %j and %j: no item', (payload, ref) => {
    const body = changed(RUN_FAILED, { 'run.event_payload': payload, 'run.prettyref': ref });
    expect(eventOf('forgejo', 'action_run_failure', body)).toMatchObject({ item: null, pull: null });
  });

  test('a re-run of one run is another happening', () => {
    const first = eventOf('forgejo', 'action_run_success', fixture('forgejo/built-action-run-success'));
    const rerun = changed('forgejo/built-action-run-success', { 'run.stopped': '2026-05-04T13:00:00+02:00' });
    expect(eventOf('forgejo', 'action_run_success', rerun).semanticKey).not.toBe(first.semanticKey);
  });

  test('Gitea: workflow_run names its workflow, status its context', () => {
    expect(eventOf('gitea', 'workflow_run', fixture(WORKFLOW_RUN)).ci).toMatchObject({
      workflow: 'test',
      status: 'failure',
    });
    const unnamed = changed(WORKFLOW_RUN, { workflow: null });
    expect(eventOf('gitea', 'workflow_run', unnamed).ci?.workflow).toBe('test.yml');
    expect(eventOf('gitea', 'status', fixture(STATUS)).ci).toEqual({
      status: 'failure',
      workflow: 'ci/outside',
      headSha: '2'.repeat(40),
      htmlUrl: 'https://ci.example.org/9',
    });
  });
});
