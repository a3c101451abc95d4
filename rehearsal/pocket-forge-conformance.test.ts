/**
 * The pocket forge as Forgejo, beside the recordings of a running Forgejo 16: for the same acts it tells the same, in
 * the same order, field by field for all that the product reads (test/support/conformance.ts says what may differ).
 * `~type action` stands for a delivery of which no recording was given.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pullRequest } from '../src/forges/gitea/payloads.ts';
import { recorded, recordedNames } from '../test/fixtures/recorded.ts';
import { equalised, type Play, startPlay } from '../test/support/conformance.ts';
import { needs } from '../test/support/requirements.ts';

/** What the pocket forge does not play, and why. */
const NOT_PLAYED: Record<string, string> = {
  fork: 'it has no forks',
  'pull-opened-from-fork': 'it has no forks',
  'pull-synchronized-from-fork': 'it has no forks',
  'pull-comment-fork-gone': 'it has no forks',
  'pull-assigned-fork-gone': 'it has no forks',
  'api-pull-fork-deleted': 'it has no forks',
  'issue-demilestoned': 'it has no milestones; the product ignores them',
  'release-published': 'it has no releases; the product ignores them',
  'wiki-created': 'it has no wiki; the product ignores it',
  'review-requested-of-team-2': 'it has no teams',
  'push-by-contents-api': 'it has no contents API; the delivery is that of a push',
  'push-tag': 'the product ignores tags',
  'comment-created-server-in-tokyo': 'its times are UTC; the parser makes them so',
  'issue-opened-hook-without-secret':
    'its body is that of issue-opened; the headers are tested with the hooks',
  'api-reviews-and-inline-comments': 'compared in src/forges/gitea/reviews.test.ts',
  'api-reviews-with-replies-of-others': 'compared in src/forges/gitea/reviews.test.ts',
  'action-run-success-after-failure-pull': 'as action-run-success-pull: no recovery is told',
  'action-run-success-rerun-after-failure': 'it has no reruns: a run is said again',
};

const here = needs('git');

describe.skipIf(!here.ok)(here.title('a play on Forgejo'), () => {
  let play: Play;
  let pull = 0;
  const inline = [{ path: 'README.md', body: 'remark', new_position: 1 }];
  const as = (login: string) => play.forge.as(login);

  const tells = (names: string[], work: () => Promise<unknown>) => play.tells(names, work);

  beforeAll(async () => {
    play = await startPlay('forgejo', 'app');
  });
  afterAll(async () => await play.end());

  test('issues: opened, edited, assigned', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['issue-opened'], () => ada.createIssue(repo, { title: 'One', body: 'Body one' }));
    await tells(['issue-edited-title'], () => ada.editIssue(repo, 1, { title: 'One b' }));
    await tells(['issue-edited-body'], () => ada.editIssue(repo, 1, { body: 'Body one b' }));
    await tells(['~issues edited', 'issue-edited-both-2-body'], () =>
      ada.editIssue(repo, 1, { title: 'One c', body: 'Body one c @dev-bot' }),
    );
    await tells(['issue-assigned-first'], () => ada.assign(repo, 1, ['dev-bot']));
    await tells(['issue-assigned-two-at-once-1', 'issue-assigned-two-at-once-2'], () =>
      ada.assign(repo, 1, ['dev-bot', 'ada', 'review-bot']),
    );
    await tells(['issue-unassigned-two-at-once-1', 'issue-unassigned-two-at-once-2'], () =>
      ada.assign(repo, 1, ['dev-bot']),
    );
    await tells(['issue-unassigned-last'], () => ada.assign(repo, 1, []));
    const born = ['1-assigned', '2-assigned', '3-opened'].map((part) => `issue-new-with-assignees-${part}`);
    await tells([...born, '~issue_label label_updated'], () =>
      ada.createIssue(repo, {
        title: 'Two',
        body: 'B',
        assignees: ['dev-bot', 'review-bot'],
        labels: ['bug', 'docs'],
      }),
    );
  });

  test('labels: a clearing tells of the old ones, a replacement of the new ones', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['issue-labels-put-three'], () => ada.setLabels(repo, 1, ['bug', 'docs', 'later']));
    await tells(['issue-label-removed'], () => ada.unlabel(repo, 1, ['docs']));
    await tells(['issue-labels-cleared'], () => ada.setLabels(repo, 1, [], { clear: true }));
    await tells(['~issue_label label_updated'], () => ada.setLabels(repo, 1, ['bug']));
    await tells(['issue-labels-put-empty'], () => ada.setLabels(repo, 1, []));
  });

  test('comments, closing', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    let id = 0;
    await tells(['~issue_comment created'], async () => {
      id = (await ada.comment(repo, 1, 'First comment')).id;
    });
    await tells(['comment-edited'], () => ada.editComment(repo, id, 'First comment, @review-bot'));
    await tells(['comment-deleted'], () => ada.deleteComment(repo, id));
    await tells(['issue-closed'], () => ada.close(repo, 1));
    await tells(['~issues reopened'], () => ada.reopen(repo, 1));
    await tells(['comment-by-stranger'], () => as('stranger').comment(repo, 1, 'Stranger here @dev-bot'));
  });

  test('a pull request: opened, edited, labelled, assigned', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['create-branch', 'push-new-branch'], () =>
      play.push('ada', { branch: 'feat', message: 'Feature' }),
    );
    await tells(['pull-opened'], async () => {
      const asked = { title: 'Feat', body: 'This closes #1', head: 'feat', base: 'main' };
      pull = (await ada.openPull(repo, asked)).number;
    });
    await tells(['pull-edited-title'], () => ada.editIssue(repo, pull, { title: 'Feat b' }));
    await tells(['~pull_request edited', 'pull-edited-body'], () =>
      ada.editIssue(repo, pull, { title: 'Feat c', body: 'This closes #1.' }),
    );
    await tells(['pull-labels-put-two'], () => ada.setLabels(repo, pull, ['bug', 'docs']));
    await tells(['pull-labels-cleared'], () => ada.setLabels(repo, pull, [], { clear: true }));
    await tells(['~pull_request_assign assigned', 'pull-assigned-two-at-once-2'], () =>
      ada.assign(repo, pull, ['dev-bot', 'review-bot']),
    );
    await tells(['~pull_request_assign unassigned', 'pull-unassigned-2'], () => ada.assign(repo, pull, []));
    await tells(['pull-comment-created'], () => ada.comment(repo, pull, 'A comment on the PR'));
  });

  test('reviews, and who is listed as a reviewer', async () => {
    const { repository: repo } = play;
    const [ada, owner, reviewer] = [as('ada'), as('owner'), as('review-bot')];
    await tells(['~pull_request_review_request review_requested'], () =>
      ada.requestReview(repo, pull, ['review-bot']),
    );
    await tells(['review-request-removed'], () => ada.withdrawReviewRequest(repo, pull, ['review-bot']));
    await tells(['review-requested-two-at-once-1', 'review-requested-two-at-once-2'], () =>
      ada.requestReview(repo, pull, ['review-bot', 'dev-bot']),
    );
    await tells(['review-comment-two-inline'], () =>
      owner.review(repo, pull, { event: 'COMMENT', body: 'Overall text', comments: [...inline, ...inline] }),
    );
    await tells(['review-comment-body-only'], () =>
      owner.review(repo, pull, { event: 'COMMENT', body: 'Only body' }),
    );
    let verdicts: number[] = [];
    await tells(['review-request-changes'], async () => {
      verdicts = [(await owner.review(repo, pull, { event: 'REQUEST_CHANGES', body: 'Please fix' })).id];
    });
    await tells(['review-approved'], async () => {
      verdicts.push((await reviewer.review(repo, pull, { event: 'APPROVED', body: 'Looks good' })).id);
    });
    await tells([], async () => {
      for (const id of verdicts) {
        const path = `/pulls/${pull}/reviews/${id}/dismissals`;
        expect((await play.call('owner', 'POST', path, { message: 'x' })).json.dismissed).toBe(true);
      }
    });
  });

  test('pushes, closing, merging: closed, the issue, the push', async () => {
    const { repository: repo } = play;
    await tells(['~push', 'pull-synchronized'], () => play.push('ada', { branch: 'feat', message: 'More' }));
    await tells(['push-forced', 'pull-synchronized-forced'], () =>
      play.push('ada', { branch: 'feat', message: 'Anew', force: true }),
    );
    await tells(['pull-closed'], () => as('ada').close(repo, pull));
    await tells(['~pull_request reopened'], () => as('ada').reopen(repo, pull));
    const merge = ['merge-1-pull-closed-merged', 'merge-2-issue-closed', 'merge-3-push', 'delete-branch'];
    await tells(merge, () => as('ada').merge(repo, pull, { style: 'merge', deleteBranch: true }));
    const { json } = await play.get('ada', `/pulls/${pull}`);
    expect(json.base.sha).toBe(json.merge_commit_sha);
    const real = recorded('forgejo', 'api-pull-merged');
    expect(equalised(pullRequest.parse(json))).toEqual(equalised(pullRequest.parse(real)));
    play.played.add('api-pull-merged');
  });

  test('a draft, another base, a head that is deleted', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    await tells(['~create', '~push'], () => play.push('ada', { branch: 'wip', message: 'Draft' }));
    await tells(['~create', '~push'], () => play.push('ada', { branch: 'base2', message: 'Base' }));
    let number = 0;
    await tells(['pull-opened-draft'], async () => {
      number = (await ada.openPull(repo, { title: 'WIP: Draft', body: '', head: 'wip', base: 'main' }))
        .number;
    });
    await tells(['~pull_request edited'], () => ada.editIssue(repo, number, { title: 'Draft' }));
    await tells(['pull-edited-base-changed'], () => ada.retarget(repo, number, 'base2'));
    await tells(['delete-head-branch-of-open-pull', 'pull-closed-by-branch-deletion'], () =>
      play.call('ada', 'DELETE', '/branches/wip'),
    );
  });

  test('a commit that closes an issue; a merge that waited', async () => {
    const { repository: repo } = play;
    const ada = as('ada');
    const { number: issue } = await ada.createIssue(repo, { title: 'Three', body: '' });
    await tells(['~issues closed', 'push-closing-commit'], () =>
      play.push('ada', { branch: 'main', message: `Fixes #${issue}` }),
    );
    await play.push('ada', { branch: 'prot', message: 'Protected' });
    const sha = await play.push('ada', { branch: 'am', from: 'prot', message: 'AM' });
    const rule = { branch: 'prot', contexts: ['ci'], approvals: 0, blockOnRejectedReviews: false };
    await as('owner').protect(repo, rule);
    const { number } = await ada.openPull(repo, { title: 'AM', body: '', head: 'am', base: 'prot' });
    const path = `/pulls/${number}/merge`;
    const later = { Do: 'merge', merge_when_checks_succeed: true };
    await tells([], async () => {
      expect((await play.call('ada', 'POST', path, { Do: 'merge' })).status).toBe(405);
      expect((await play.call('ada', 'POST', path, later)).status).toBe(201);
    });
    await tells(['pull-closed-by-auto-merge', '~push'], () =>
      as('owner').setStatus(repo, sha, { state: 'success', context: 'ci' }),
    );
  });

  test('a thread on a line, runs', async () => {
    const { repository: repo } = play;
    const bot = as('dev-bot');
    await as('ada').createIssue(repo, { title: 'CI thing', body: 'Do', assignees: ['dev-bot'] });
    const issue = play.forge.state.items.at(-1)!.number;
    await tells(['comment-and-close-2-closed'], () => as('owner').close(repo, issue));
    await tells(['issue-reopened-from-web'], () => as('owner').reopen(repo, issue));
    const success = await play.push('dev-bot', { branch: 'dev/1', message: 'work step' });
    const mark = '<!-- claude-hooks 51a34bcb-e5bf-4762-8557-3b86ef4e7d9b:pull -->';
    const asked = { title: 'CI thing', body: `Closes #${issue}\n\n${mark}`, head: 'dev/1', base: 'main' };
    const { number } = await bot.openPull(repo, asked);
    const run = { workflow: 'ci.yml', pull: number };
    const push = { workflow: 'ci.yml', branch: 'dev/1' };
    await tells(['action-run-success-pull'], () =>
      bot.actionRun(repo, { ...run, sha: success, status: 'success' }),
    );
    const failure = await play.push('ada', { branch: 'dev/1', message: 'break' });
    await tells(['action-run-failure-pull'], () =>
      as('ada').actionRun(repo, { ...run, sha: failure, status: 'failure' }),
    );
    const mended = await play.push('dev-bot', { branch: 'dev/1', message: 'mend CI' });
    await tells(['action-run-success-after-failure-push'], () =>
      bot.actionRun(repo, { ...push, sha: mended, status: 'success' }),
    );
    await tells(['review-single-inline-from-web', 'pull-comment-reply-to-inline'], async () => {
      const { id } = await as('ada').review(repo, number, { event: 'COMMENT', body: '', comments: inline });
      const { json } = await play.get('ada', `/pulls/${number}/reviews/${id}/comments`);
      await as('owner').reply(repo, number, json[0].id, 'a reply');
    });
    await tells(['review-submitted-from-web'], () =>
      as('ada').review(repo, number, { event: 'COMMENT', body: 'summary from the web', comments: inline }),
    );
    const { json } = await play.get('stranger', '/actions/runs');
    const [real] = recorded('forgejo', 'api-actions-runs') as unknown as object[];
    expect(Object.keys(real!).filter((key) => !(key in json.workflow_runs[0]))).toEqual([]);
    play.played.add('api-actions-runs');
  });

  test('nothing is left out without a reason', () => {
    expect([...play.played, ...Object.keys(NOT_PLAYED)].sort()).toEqual(recordedNames('forgejo').sort());
  });
});
