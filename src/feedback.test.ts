/** What the forge shows while work goes on, on a real forge with a clock of the test's own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { REPO } from '../rehearsal/pocket-forge-trial.ts';
import { patience } from '../test/support/patience.ts';
import { PeopleStage } from '../test/support/people-stage.ts';
import { needs } from '../test/support/requirements.ts';
import { armFault } from './faults.ts';
import { openAsks } from './mailbox/asks.ts';
import { endAttached, leaseForAttach } from './mailbox/attaching.ts';
import type { Lease } from './mailbox/leases.ts';

const here = needs('git');
const MINUTE = 60_000;
/** As long as a try is claimed: a process that died in it is not waited for any longer. */
const CLAIM = 3 * MINUTE;
afterEach(() => armFault(null));

async function longRun(stage: PeopleStage): Promise<Lease> {
  await stage.ada.createIssue(REPO, { title: 'Totals', body: 'Wrong.', assignees: ['bo'] });
  await stage.settled();
  const lease = await stage.lease();
  stage.now += 2 * MINUTE;
  return lease;
}

/** Its process dies at this point, as by `kill -9`: what was done is done, and nothing more is written. */
function dieAt(point: string): void {
  armFault((passed) => {
    if (passed !== point) return;
    armFault(null);
    throw new Error('killed');
  });
}

describe.skipIf(!here.ok)(here.title('what people see while work goes on'), () => {
  test('a short run: eyes, and nothing else beside the answer', async () => {
    const stage = await PeopleStage.open();
    await stage.ada.createIssue(REPO, { title: 'Totals', body: 'Wrong.', assignees: ['bo'] });
    await stage.settled();
    const lease = await stage.lease();
    stage.now += MINUTE - 1000;
    await stage.settled();
    await stage.answer(lease, 'Done.');
    await stage.settle(lease, { state: 'succeeded' });
    await stage.settled();
    expect(stage.reactions()).toEqual(['eyes on #1']);
    expect(stage.comments(1)).toEqual(['Done.']);
  });

  test.each(['notice.planned', 'notice.performed'])(
    'the process dies at %s: one status comment, edited and taken away, never a second one',
    async (point) => {
      const stage = await PeopleStage.open();
      const lease = await longRun(stage);
      dieAt(point);
      await stage.settled();
      stage.now += CLAIM;
      await stage.settled();
      const [posted] = stage.commentRows(1);
      expect(stage.comments(1)).toEqual([expect.stringMatching(/^I have been working on this since/)]);
      // In the middle of an edit.
      await stage.settle(lease, { state: 'parked', reason: 'away', until: stage.now + 10 * MINUTE });
      dieAt(point);
      await stage.settled();
      stage.now += CLAIM;
      await stage.settled();
      expect(stage.commentRows(1)).toEqual([
        { id: posted!.id, text: expect.stringMatching(/^I wait until/) },
      ]);
      // In the middle of the removal.
      stage.now += 10 * MINUTE;
      const again = await stage.lease();
      await stage.settle(again, { state: 'succeeded' });
      dieAt(point);
      await stage.settled();
      stage.now += CLAIM;
      await stage.settled();
      expect(stage.comments(1)).toEqual([]);
      expect((await stage.notices()).map(({ state }) => state)).toEqual(['shown', 'gone']);
    },
  );

  test('eyes wait for nothing else that is to be shown: a comment that takes long does not hold them up', async () => {
    const stage = await PeopleStage.open();
    await longRun(stage);
    const order: string[] = [];
    const [begun, seen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: typeof stage.client = {
      ...stage.client,
      createComment: async (...args) => {
        begun.resolve();
        await Promise.race([seen.promise, sleep(patience(3000), undefined, { ref: false })]);
        order.push('comment');
        seen.resolve();
        return await stage.client.createComment(...args);
      },
      react: async (...args) => {
        await stage.client.react(...args);
        order.push('eyes');
        seen.resolve();
      },
    };
    const loop = stage.feedback(() => slow);
    await begun.promise;
    await stage.ada.comment(REPO, 1, 'Are you there?');
    await stage.routed();
    loop.wake();
    await seen.promise;
    await loop.stop();
    expect(order).toEqual(['eyes', 'comment']);
  });

  test('somebody is attached: who asked meanwhile is told why it waits, and nothing is shown of the terminal itself', async () => {
    const stage = await PeopleStage.open();
    await stage.ada.createIssue(REPO, { title: 'Totals', body: 'Wrong.', assignees: ['bo'] });
    await stage.settled();
    const { id } = await stage.database.rows
      .selectFrom('conversations')
      .select('id')
      .executeTakeFirstOrThrow();
    const request = { conversationId: id, worker: 'attach:1', by: 'grace', now: stage.now, leaseMs: MINUTE };
    const attached = await leaseForAttach(stage.database, request);
    if (attached.kind !== 'leased') throw new Error(attached.kind);
    stage.now += 2 * MINUTE;
    await stage.settled();
    expect(stage.comments(1)).toEqual([
      expect.stringMatching(/^Whoever runs this service works with me at my terminal just now\./),
    ]);
    await endAttached(stage.database, attached.lease, { reason: 'left', turns: 0, now: stage.now });
    const lease = await stage.lease();
    await stage.settle(lease, { state: 'succeeded' });
    await stage.settled();
    expect(stage.comments(1)).toEqual([]);
  });

  test('a comment that a person removed is not brought back', async () => {
    const stage = await PeopleStage.open();
    const lease = await longRun(stage);
    await stage.settled();
    await stage.ada.deleteComment(REPO, stage.commentRows(1)[0]!.id);
    stage.now += MINUTE;
    await stage.settle(lease, { state: 'interrupted', reason: 'stopped' });
    stage.now += 2 * MINUTE;
    await stage.settled();
    expect(stage.comments(1)).toEqual([]);
  });

  test('a status comment wakes no other agent, also where a flow wants every comment', async () => {
    const stage = await PeopleStage.open({
      config: 'flows: ./flows',
      accounts: 'reviewer: { login: root, token: root-token }',
      files: { 'flows/all.yaml': EVERY_COMMENT },
    });
    await longRun(stage);
    await stage.settled();
    expect(stage.comments(1)).toHaveLength(1);
    const woken = await stage.database.rows.selectFrom('messages').select('flow').execute();
    expect(woken).toEqual([{ flow: 'dev-assigned' }]);
  });

  test('the commit status follows the work, and no commit is left pending', async () => {
    const stage = await PeopleStage.open({ kind: 'gitea' });
    const first = await stage.branch('dev/1', 'one.txt');
    await stage.trial.forge.as('bo').openPull(REPO, { title: 'One', body: '', head: 'dev/1', base: 'main' });
    await stage.settled();
    await stage.ada.comment(REPO, 1, '@bo please go on');
    await stage.settled();
    const lease = await stage.lease();
    await stage.look();
    const second = await stage.branch('dev/1', 'two.txt');
    await stage.settled();
    await stage.settled();
    expect(stage.statuses(first)).toEqual([
      'pending: Queued',
      'pending: Running since 2026-01-05 09:00 UTC',
      'success: Went on at a newer commit',
    ]);
    await stage.settle(lease, { state: 'failed', reason: 'x' });
    await stage.settled();
    expect(stage.statuses(second)).toEqual([
      'pending: Running since 2026-01-05 09:00 UTC',
      'error: Not done: the comment of the agent says why',
    ]);
    // Gitea tells of every status. Ours are no CI: nobody is woken by them, and they are not read as a result.
    const woken = await stage.database.rows.selectFrom('messages').select('flow').execute();
    expect(woken.map(({ flow }) => flow)).not.toContain('dev-ci-failed');
    expect(await stage.client.ciState({ id: '1', fullName: REPO }, second)).toEqual({
      state: 'none',
      failed: [],
    });
  });

  test('a forge that is down delays what is shown, and nothing else; then it is shown once', async () => {
    const stage = await PeopleStage.open();
    const lease = await longRun(stage);
    await stage.whileDown(async () => {
      await stage.look();
      await stage.settle(lease, { state: 'parked', reason: 'away', until: stage.now + 10 * MINUTE });
      await stage.look();
    });
    stage.now += 5 * MINUTE;
    await stage.settled();
    expect(stage.comments(1)).toEqual([expect.stringMatching(/^I wait until/)]);
  });

  test.each([
    ['none', [], []],
    ['reaction', ['eyes on #1'], []],
  ])('feedback: %s', async (level, reactions, comments) => {
    const stage = await PeopleStage.open({ forge: `    feedback: ${level}` });
    await longRun(stage);
    await stage.settled();
    await stage.cy.comment(REPO, 1, '@bo hello');
    await stage.settled();
    expect(stage.reactions()).toEqual(reactions);
    expect(stage.comments(1)).toEqual(comments);
  });

  test('strangers cannot flood: one receipt an item and day, three a repository and hour', async () => {
    const stage = await PeopleStage.open();
    for (let n = 1; n <= 5; n += 1) {
      await stage.cy.createIssue(REPO, { title: `${n}`, body: '@bo do it' });
      await stage.cy.comment(REPO, n, '@bo do it now');
    }
    await stage.settled();
    const told = [1, 2, 3, 4, 5].map((n) => stage.comments(n).length);
    expect(told).toEqual([1, 1, 1, 0, 0]);
    expect(await stage.database.rows.selectFrom('dispatches').select('id').execute()).toEqual([]);
  });
});

describe.skipIf(!here.ok)(here.title('an item that opts out'), () => {
  test('wakes no agent while it has the label, and says so', async () => {
    const stage = await PeopleStage.open();
    await stage.ada.createIssue(REPO, { title: 'Mine', body: '', labels: ['No-Agent'], assignees: ['bo'] });
    await stage.settled();
    const decided = await stage.database.rows
      .selectFrom('deliveries')
      .select('reason')
      .where('event_name', '=', 'issue.assigned')
      .execute();
    expect(decided).toEqual([
      {
        reason:
          '#1 has the label No-Agent, so no agent is woken there (forges.home.opt_out_labels). Take the label off, then write again',
      },
    ]);
    expect(stage.reactions()).toEqual([]);
    await stage.ada.unlabel(REPO, 1, ['No-Agent']);
    await stage.ada.comment(REPO, 1, '@bo please');
    await stage.settled();
    expect(stage.reactions()).toHaveLength(1);
  });
});

describe.skipIf(!here.ok)(here.title('what waits for a person'), () => {
  test('is a row of its own: opened by a failure, closed by whoever writes', async () => {
    const stage = await PeopleStage.open();
    const lease = await longRun(stage);
    await stage.settle(lease, { state: 'failed', reason: 'no way' });
    const open = async () =>
      (await openAsks(stage.database.rows, 10)).map(({ kind, text }) => `${kind}: ${text}`);
    expect(await open()).toEqual(['failed: no way']);
    await stage.ada.comment(REPO, 1, 'Try this.');
    await stage.settled();
    expect(await open()).toEqual([]);
    const closed = await stage.database.rows.selectFrom('asks').select(['state', 'closed_by']).execute();
    expect(closed).toEqual([{ state: 'answered', closed_by: 'ada' }]);
  });
});

const EVERY_COMMENT = `- name: all-comments
  on: [comment.created, comment.edited, comment.deleted]
  agent: reviewer
  skill: answer-comment
  priority: 90
`;
