/**
 * The pocket forge as Gitea, beside the recordings of a running Gitea 1.26; as in pocket-forge-conformance.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recorded, recordedNames } from '../test/fixtures/recorded.ts';
import { type Play, startPlay } from '../test/support/conformance.ts';
import { needs } from '../test/support/requirements.ts';
import type { NewRun } from './pocket-forge-runs.ts';
import type { RunStatus } from './pocket-forge-state.ts';

/** What the pocket forge does not play, and why. */
const NOT_PLAYED: Record<string, string> = {
  '0026-issues-deleted': 'nobody deletes issues there',
  '0061-create': 'as 0030-create',
  '0067-pull_request_review_request-review_requested':
    'reviewers cannot be named while opening a pull request',
  '0069-pull_request_assign-assigned': 'reviewers cannot be named while opening a pull request',
  '0073-pull_request-opened': 'it has no forks',
  '0074-pull_request-closed': 'it has no forks',
  '0077-push': 'the product ignores tags',
  '0078-create': 'the product ignores tags',
  '0079-release-published': 'it has no releases; the product ignores them',
  '0081-pull_request-opened': 'it has no AGit pull requests',
  '0799-issues-opened': 'as 0001-issues-opened; the headers without a secret are tested with the hooks',
};
const RUNS_NOT_PLAYED: Record<string, string> = {
  '0254-workflow_run-completed': 'as 0127-workflow_run-completed',
};

/** By the order of arrival. Jobs are not told: the product ignores them. */
function isOfRuns(name: string): boolean {
  const order = Number(name.slice(0, 4));
  return (order > 87 && order < 795) || order > 805;
}

const here = needs('git');
const INLINE = [{ path: 'README.md', body: 'remark', new_position: 1 }];

describe.skipIf(!here.ok)(here.title('a play on Gitea'), () => {
  let play: Play;
  let pull = 0;
  const as = (login: string) => play.forge.as(login);
  const tells = (names: string[], work: () => Promise<unknown>) => play.tells(names, work);
  const push = (branch: string, message = 'Step') => play.push('ada', { branch, message });

  beforeAll(async () => {
    play = await startPlay('gitea', 'play');
  });
  afterAll(async () => await play.end());

  test('issues: opened without a time, edited, assigned', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    const text = { title: 'First issue', body: 'Text of the issue. @dev-bot' };
    await tells(['0001-issues-opened'], () => ada.createIssue(repo, text));
    const born = ['0002-issue_assign-assigned', '0003-issue_assign-assigned', '~issues opened'];
    await tells([...born, '0005-issue_label-label_updated'], () =>
      ada.createIssue(repo, {
        title: 'Second issue',
        body: 'x',
        assignees: ['dev-bot', 'bob'],
        labels: ['bug', 'feature'],
      }),
    );
    await tells(['0006-issues-edited', '0007-issues-edited'], () =>
      ada.editIssue(repo, 1, { title: 'First issue, renamed', body: 'Other text' }),
    );
    await tells(['~issues edited'], () => ada.editIssue(repo, 1, { body: 'Third text @review-bot' }));
    await tells(['0009-issue_assign-assigned', '0010-issue_assign-assigned'], () =>
      ada.assign(repo, 1, ['dev-bot', 'bob']),
    );
    await tells(['0011-issue_assign-unassigned'], () => ada.assign(repo, 1, ['dev-bot']));
    await tells(['~issue_assign unassigned', '0013-issue_assign-assigned'], () =>
      ada.assign(repo, 1, ['bob']),
    );
  });

  test('labels: a clearing and a replacement tell of the old ones', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['0014-issue_label-label_updated'], () =>
      ada.setLabels(repo, 1, ['bug', 'feature', 'wontfix']),
    );
    await tells(['0015-issue_label-label_cleared'], () => ada.setLabels(repo, 1, [], { clear: true }));
    await tells(['~issue_label label_updated'], () => ada.label(repo, 1, ['bug']));
    await tells(['0017-issue_label-label_updated'], () => ada.label(repo, 1, ['feature']));
    await tells(['0018-issue_label-label_updated'], () => ada.unlabel(repo, 1, ['bug']));
    await tells(['0019-issue_label-label_cleared'], () => ada.setLabels(repo, 1, [], { clear: true }));
  });

  test('comments, closing', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    let id = 0;
    await tells(['0021-issue_comment-created'], async () => {
      id = (await ada.comment(repo, 1, 'A comment')).id;
    });
    await tells(['0022-issue_comment-edited'], () => ada.editComment(repo, id, 'A comment, edited'));
    await tells(['0023-issue_comment-deleted'], () => ada.deleteComment(repo, id));
    await tells(['~issues closed'], () => ada.close(repo, 1));
    await tells(['0025-issues-reopened'], () => ada.reopen(repo, 1));
    await tells(['0027-issues-opened'], () => ada.createIssue(repo, { title: 'To be closed', body: '' }));
    await tells(['~issues edited', '0029-issues-closed'], () =>
      play.call('ada', 'PATCH', '/issues/3', { title: 'Closed now', state: 'closed' }),
    );
  });

  test('a pull request: opened, edited, labelled, assigned', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['0030-create', '0031-push'], () => push('topic'));
    await tells(['~pull_request opened'], async () => {
      const asked = { title: 'Topic', body: 'closes #1', head: 'topic', base: 'main' };
      pull = (await ada.openPull(repo, asked)).number;
    });
    const edit = (change: { title?: string; body?: string }) => ada.editIssue(repo, pull, change);
    await tells(['0033-pull_request-edited'], () => edit({ title: 'Topic, better' }));
    await tells(['0034-pull_request-edited'], () => edit({ body: 'closes #1\nand more' }));
    await tells(['0035-pull_request-edited'], () => edit({ title: 'WIP: Topic' }));
    await tells(['~pull_request edited'], () => edit({ title: 'Topic, ready' }));
    await tells(['0037-pull_request_label-label_updated'], () => ada.label(repo, pull, ['bug']));
    await tells(['0038-pull_request_assign-assigned'], () => ada.assign(repo, pull, ['dev-bot']));
    const request = 'pull_request_review_request';
    await tells([`0039-${request}-review_requested`, `~${request} review_requested`], () =>
      ada.requestReview(repo, pull, ['review-bot', 'bob']),
    );
    await tells([`0041-${request}-review_request_removed`], () =>
      ada.withdrawReviewRequest(repo, pull, ['bob']),
    );
    await tells(['0042-pull_request_comment-created'], () => ada.comment(repo, pull, 'On the pull'));
  });

  test('reviews, and who is listed as a reviewer; a verdict dismisses the earlier one', async () => {
    const { repository: repo } = play;
    const [bob, bot] = [as('bob'), as('review-bot')];
    await tells(['0043-push', '~pull_request_sync synchronized'], () =>
      play.push('ada', { branch: 'topic', message: 'Anew', force: true }),
    );
    const remarks = { event: 'COMMENT' as const, body: 'Two remarks', comments: [...INLINE, ...INLINE] };
    await tells(['0045-pull_request_review_comment-reviewed'], () => bob.review(repo, pull, remarks));
    await tells(['0046-push', '0047-pull_request_sync-synchronized'], () => push('topic'));
    await tells(['0049-pull_request_review_rejected-reviewed'], () =>
      bot.review(repo, pull, { event: 'REQUEST_CHANGES', body: 'Please change' }),
    );
    await tells(['0050-pull_request_review_approved-reviewed'], () =>
      bob.review(repo, pull, { event: 'APPROVED', body: 'Good' }),
    );
    await tells(['0051-pull_request_review_approved-reviewed'], () =>
      bot.review(repo, pull, { event: 'APPROVED', body: '' }),
    );
    const { json } = await play.get('ada', `/pulls/${pull}/reviews`);
    expect(json!.map((r: { state: string; dismissed: boolean }) => `${r.state} ${r.dismissed}`)).toEqual([
      'COMMENT false',
      'REQUEST_CHANGES true',
      'APPROVED false',
      'APPROVED false',
    ]);
  });

  test('merging right after a push: closed, the issue, the push; a head that is deleted', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['~pull_request closed', '0053-pull_request-reopened'], async () => {
      await ada.close(repo, pull);
      await ada.reopen(repo, pull);
    });
    await tells(['0054-push', '0055-pull_request_sync-synchronized'], () => push('topic'));
    await tells(['~pull_request closed', '0057-issues-closed', '0058-push'], async () => {
      const merged = await play.call('owner', 'POST', `/pulls/${pull}/merge`, { Do: 'merge' });
      expect(merged).toEqual({ status: 200, json: null });
    });
    await tells(['0059-delete'], () => play.call('ada', 'DELETE', '/branches/topic'));
    await tells(['0062-issues-opened'], () => ada.createIssue(repo, { title: 'Closed by commit', body: '' }));
    await tells(['0063-issues-closed', '~push'], () => push('main', 'Fixes #5'));
    await tells(['0065-create', '0066-push'], () => push('draft'));
    const asked = { title: 'WIP: draft work', body: '', head: 'draft', base: 'main', assignees: ['dev-bot'] };
    const { number } = await ada.openPull(repo, asked);
    await ada.requestReview(repo, number, ['review-bot']);
    await tells(['0070-delete', '0071-pull_request-closed'], () =>
      play.call('ada', 'DELETE', '/branches/draft'),
    );
  });

  test('a status, a merge that waited, a thread on a line', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    const main = (await play.get('ada', '/branches/main')).json!.commit.id;
    const status = { state: 'failure', context: 'ext/ci', description: 'broken' };
    await tells(['0075-status-failure'], () =>
      play.call('ada', 'POST', `/statuses/${main}`, { ...status, target_url: 'https://ci.example.org/1' }),
    );
    await tells(['0083-create', '~push'], () => push('auto'));
    let number = 0;
    await tells(['0082-pull_request-opened'], async () => {
      number = (await ada.openPull(repo, { title: 'Auto', body: '', head: 'auto', base: 'main' })).number;
    });
    const sha = (await play.get('ada', '/branches/auto')).json!.commit.id;
    await play.call('owner', 'POST', `/pulls/${number}/merge`, {
      Do: 'merge',
      merge_when_checks_succeed: true,
    });
    await tells(['~status', '0085-pull_request-closed', '0086-push'], () =>
      as('owner').setStatus(repo, sha, { state: 'success', context: 'ci' }),
    );
    const remark = { event: 'COMMENT' as const, body: '', comments: INLINE };
    await tells(
      ['0795-pull_request_review_comment-reviewed', '0796-pull_request_comment-created'],
      async () => {
        const { id } = await ada.review(repo, number, remark);
        const { json } = await play.get('ada', `/pulls/${number}/reviews/${id}/comments`);
        await ada.reply(repo, number, json![0].id, 'a reply by web');
      },
    );
    await tells(['0797-pull_request_review_comment-reviewed'], () => ada.review(repo, number, remark));
    await tells(['0805-pull_request-edited'], () => ada.editIssue(repo, number, { title: 'Auto 2' }));
  });

  test('after a rename', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    const told = ['0087', '0800', '0801', '0803'].map((n) => `${n}-issue_comment-created`);
    let id = 0;
    await tells([...told, '0804-issue_comment-edited'], async () => {
      await as('owner').renameRepository(repo, 'renamed');
      for (const body of ['after rename', 'c0', 'c1', 'x']) {
        id = (await ada.comment('owner/renamed', 1, body)).id;
      }
      await ada.editComment('owner/renamed', id, 'y');
    });
    const old = await fetch(`${play.forge.url}/api/v1/repos/${repo}/issues/1`, { redirect: 'manual' });
    const target = '/api/v1/repos/owner/renamed/issues/1';
    expect([old.status, old.headers.get('location')]).toEqual([301, target]);
  });

  test('nothing is left out without a reason', () => {
    const names = recordedNames('gitea').filter((name) => !isOfRuns(name));
    expect([...play.played, ...Object.keys(NOT_PLAYED)].sort()).toEqual(names.sort());
  });
});

describe.skipIf(!here.ok)(here.title('runs on Gitea'), () => {
  let play: Play;
  let pull = 0;
  const as = (login: string) => play.forge.as(login);
  const tells = (names: string[], work: () => Promise<unknown>) => play.tells(names, work);
  const workflow = { workflow: 'test.yaml', name: 'Test' };

  beforeAll(async () => {
    play = await startPlay('gitea', 'ci');
    await play.push('ada', { branch: 'hum', message: 'Work on it' });
    const text = { title: 'Cancel me; nochangeci quick answer', body: 'quick answer' };
    const asked = { ...text, head: 'hum', base: 'main', assignees: ['dev-bot'] };
    pull = (await as('ada').openPull(play.repository, asked)).number;
  });
  afterAll(async () => await play.end());

  async function runs(
    names: string[],
    o: { by: string; run: Partial<NewRun>; message: string },
  ): Promise<void> {
    const sha = await play.push('ada', { branch: 'hum', message: o.message });
    const status = 'failure';
    await tells(names, () =>
      as(o.by).actionRun(play.repository, { ...workflow, pull, sha, status, ...o.run }),
    );
  }

  test('every job tells its status; the run is told once, by whoever pushed', async () => {
    const jobs: NewRun['jobs'] = [
      { name: 'lint', status: 'failure' },
      { name: 'build', status: 'success' },
    ];
    const begun = ['0092-status-pending', '0093-status-pending', '0094-workflow_run-requested'];
    const ended = ['0102-status-failure', '0105-status-success', '~workflow_run completed'];
    await runs([...begun, ...ended], { by: 'dev-bot', run: { jobs }, message: 'Work on it' });
    const unit: NewRun['jobs'] = [{ name: 'unit', status: 'failure' }];
    const again = ['~status', '0114-workflow_run-requested', '0119-status-failure'];
    const mend = { by: 'dev-bot', run: { jobs: unit }, message: 'Mend CI' };
    await runs([...again, '0127-workflow_run-completed'], mend);
    const third = ['0232-status-pending', '0134-workflow_run-requested', '0238-status-failure'];
    await runs([...third, '0147-workflow_run-completed'], mend);
  });

  test('a push without a pull request; a workflow that is not on the default branch', async () => {
    const jobs: NewRun['jobs'] = [{ name: 'unit', status: 'failure' }];
    const sha = await play.push('ada', { branch: 'main', message: 'Workflow' });
    const run = { workflow: 'test.yaml', sha, status: 'failure' as const, jobs };
    const told = ['0301-status-pending', '0302-workflow_run-requested', '0311-status-failure'];
    await tells([...told, '~workflow_run completed'], () =>
      as('ada').actionRun(play.repository, { ...run, name: 'OnPush' }),
    );
    const other = { ...run, name: 'New', pull, onOtherBranch: true };
    await tells(['0475-status-pending', '~status'], () => as('ada').actionRun(play.repository, other));
  });

  test('a run that is cancelled is a failure by its state, and by its description it is not', async () => {
    const one = (status: RunStatus): Partial<NewRun> => ({
      name: 'Long',
      status,
      jobs: [{ name: 'one', status }],
    });
    const first = ['0570-status-pending', '0571-workflow_run-requested', '0597-status-success'];
    const passed = { by: 'ada', run: one('success'), message: 'h' };
    await runs([...first, '~workflow_run completed'], passed);
    const begun = ['0809-status-pending', '0811-workflow_run-requested', '0815-status-failure'];
    const cancelled = { by: 'ada', run: one('cancelled'), message: 'h9' };
    await runs([...begun, '~workflow_run completed', '~workflow_run completed'], cancelled);
    const again = ['0820-status-pending', '0819-workflow_run-requested', '0823-status-success'];
    await runs([...again, '0825-workflow_run-completed'], { ...passed, message: 'h9' });
    const body = JSON.parse(play.forge.deliveries.at(-1)!.body);
    expect(body.workflow_run.pull_requests).toBeUndefined();
  });

  test('a push to the pull request, and an answer of the bot', async () => {
    await tells(['0807-push', '0808-pull_request_sync-synchronized'], () =>
      play.push('ada', { branch: 'hum', message: 'h10' }),
    );
    const { body } = recorded('gitea', '0816-pull_request_comment-created');
    await tells(['0816-pull_request_comment-created'], () =>
      as('dev-bot').comment(play.repository, pull, body.comment.body),
    );
  });

  test('the list of runs is the owner’s; jobs and statuses are everybody’s', async () => {
    expect((await play.get('bob', '/actions/runs')).status).toBe(403);
    const { json } = await play.get('owner', '/actions/runs?limit=1');
    expect(json!.workflow_runs[0]).toMatchObject({
      status: 'completed',
      conclusion: 'success',
      run_attempt: 0,
    });
    const { id } = json!.workflow_runs[0];
    const jobs = await play.get('bob', `/actions/runs/${id}/jobs`);
    expect(jobs.json!.jobs).toMatchObject([{ name: 'one', status: 'completed', conclusion: 'success' }]);
    expect((await play.get('bob', '/actions/tasks')).status).toBe(200);
  });

  test('nothing is left out without a reason', () => {
    const names = recordedNames('gitea').filter((name) => isOfRuns(name) && !name.includes('workflow_job'));
    expect([...play.played, ...Object.keys(RUNS_NOT_PLAYED)].sort()).toEqual(names.sort());
  });
});
