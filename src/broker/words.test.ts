/**
 * Every way by which text leaves for the forge, driven with words that would do something there. A tool or a call that
 * is not known here fails the test: it has to be thought about first.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloneAs, commitAndPush, REPO, startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerStage, brokerStage, testMarks } from '../../test/support/broker.ts';
import { openSqlite } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import { FORGE_TOOL_NAMES } from '../broker.ts';
import type { Database } from '../database/database.ts';
import { type Publication, publishOutcome } from '../outcome.ts';

const here = needs('git');
let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
  // The one that the words would close: no conversation's own.
  await trial.forge.as('ada').createIssue(REPO, { title: 'Keep me', body: '' });
});
afterAll(async () => await trial.end());

const LIVE = 'Closes #1, @cy\n\n/merge\n\nfixes ada/widgets#1';
const LIVE_LINE = 'Closes #1, @cy';

/** Whether anything in there would still be obeyed. */
function isQuiet(text: string): boolean {
  return !/(closes|fixes) |@cy|^\/merge/im.test(text) && /\u200d/.test(text);
}

interface World {
  stage: BrokerStage;
  branch: string;
  sha: string;
}

const fileOf = (branch: string) => `${branch.replace('/', '-')}.txt`;
let made = 0;
async function world(): Promise<World & { database: Database }> {
  const database = await openSqlite();
  const stage = await brokerStage(trial, database);
  made += 1;
  const branch = `dev/${stage.number}`;
  const sha = await commitAndPush(clone, { branch, file: fileOf(branch), content: `${made}` });
  return { database, stage, branch, sha };
}

/** Calls the tool, and answers every text that it has put on the forge. */
const SPEAKING: Record<string, (at: World & { database: Database }) => Promise<string[]>> = {
  comment: async ({ stage }) => {
    await stage.run().call('comment', { number: stage.number, text: LIVE });
    return [trial.forge.state.comments.at(-1)!.body];
  },
  ask_person: async ({ stage, database }) => {
    const asked = { number: stage.number, question: LIVE };
    await stage.run().call('ask_person', asked);
    // The same question again is the same comment and the same entry.
    await stage.run().call('ask_person', asked);
    const asks = await database.rows.selectFrom('asks').select(['kind', 'state']).execute();
    expect(asks).toEqual([{ kind: 'question', state: 'open' }]);
    return [trial.forge.state.comments.at(-1)!.body];
  },
  edit_comment: async ({ stage }) => {
    const run = stage.run();
    await run.call('comment', { number: stage.number, text: 'First.' });
    const comment = trial.forge.state.comments.at(-1)!;
    await run.call('edit_comment', { comment_id: comment.id, text: LIVE });
    return [comment.body];
  },
  open_pull: async ({ stage }) => {
    await stage.run().call('open_pull', { title: LIVE_LINE, body: LIVE });
    const pull = trial.forge.state.items.at(-1)!;
    return [pull.title, pull.body];
  },
  update_pull: async ({ stage }) => {
    const run = stage.run();
    await run.call('open_pull', { title: 'First', body: 'First.' });
    const pull = trial.forge.state.items.at(-1)!;
    await run.call('update_pull', { number: pull.number, title: LIVE_LINE, body: LIVE });
    return [pull.title, pull.body];
  },
  submit_review: async ({ stage, branch, sha }) => {
    const opening = { title: 'Theirs', body: '', head: branch, base: 'main' };
    const { number } = await trial.forge.as('ada').openPull(REPO, opening);
    const inline = [{ path: fileOf(branch), line: 1, body: LIVE }];
    const input = { number, head_sha: sha, verdict: 'commented', body: LIVE, inline };
    await stage.run({ scope: 'repository' }).call('submit_review', input);
    const review = trial.forge.state.reviews.at(-1)!;
    return [review.body, ...review.comments.map(({ body }) => body)];
  },
  create_issue: async ({ stage }) => {
    await stage.run({ scope: 'repository' }).call('create_issue', { title: LIVE_LINE, body: LIVE });
    const issue = trial.forge.state.items.at(-1)!;
    return [issue.title, issue.body];
  },
  set_status: async ({ stage, sha }) => {
    const run = stage.run();
    await run.call('open_pull', { title: 'First', body: 'First.' });
    const { number } = trial.forge.state.items.at(-1)!;
    await run.call('set_status', { number, head_sha: sha, state: 'success', description: LIVE_LINE });
    return [trial.forge.state.statuses.at(-1)!.description];
  },
};

/** What they write is no text: names that exist already, or nothing. */
const SILENT = [
  'wake_me',
  'react',
  'add_labels',
  'remove_labels',
  'assign',
  'unassign',
  // Its name is made of the picture's hash, and its bytes are drawn anew.
  'attach_picture',
  'request_review',
  'merge',
];
const READING = ['read_item', 'list_items', 'list_comments', 'list_reviews', 'list_ci_runs', 'read_ci_log'];

describe.skipIf(!here.ok)(here.title('words of a tool'), () => {
  test('every tool is known here', () => {
    const known = [...Object.keys(SPEAKING), ...SILENT, ...READING];
    expect(known.toSorted()).toEqual([...FORGE_TOOL_NAMES].toSorted());
  });

  test.each(Object.keys(SPEAKING))('%s does nothing besides being read', async (name) => {
    const texts = await SPEAKING[name]!(await world());
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts) expect(text, text).toSatisfy(isQuiet);
  });

  test('in code as well, once a stranger has been read', async () => {
    const { stage } = await world();
    const text = 'Run:\n\n```\n/merge\n@cy\n```';
    const run = stage.run({}, { marks: testMarks(['ada']) });
    await run.call('comment', { number: stage.number, text });
    expect(trial.forge.state.comments.at(-1)!.body).toContain('```\n/merge\n@cy\n```');
    await run.call('read_item', { number: stage.number });
    await run.call('comment', { number: stage.number, text: `${text}\n\nAgain.` });
    expect(trial.forge.state.comments.at(-1)!.body).toContain('```\n/\u200dmerge\n@\u200dcy\n```');
  });

  test('a pull request of a stranger is not merged: its words would close issues with our rights', async () => {
    const { stage, branch, sha } = await world();
    const opening = { title: 'Theirs, closes #1', body: '', head: branch, base: 'main' };
    const { number } = await trial.forge.as('cy').openPull(REPO, opening);
    const run = stage.run({ tools: ['merge'], scope: 'repository' }, { strangers: async () => ['cy'] });
    const refused = await run.call('merge', { number, head_sha: sha });
    expect(refused).toMatchObject({
      isError: true,
      text: expect.stringContaining('Leave the merge to a person'),
    });
  });
});

describe.skipIf(!here.ok)(here.title('words at the end of a run'), () => {
  async function publish(change: Partial<Publication>): Promise<World> {
    const { database, ...at } = await world();
    await publishOutcome(
      {
        key: { dispatchId: at.stage.dispatchId, conversationId: at.stage.conversationId },
        agent: 'dev',
        isOurs: (user) => user.login === 'bo',
        forgeName: 'home',
        repository: { id: '1', fullName: REPO },
        itemNumber: at.stage.number,
        alsoAsked: [],
        itemTitle: LIVE_LINE,
        publish: 'pull-request',
        branch: {
          name: at.branch,
          base: 'main',
          opensPull: true,
          planned: null,
          refusePull: async () => null,
          push: async () => ({ kind: 'pushed', sha: at.sha }),
        },
        joined: [],
        closes: at.stage.number,
        reviewed: null,
        leftOver: async () => [],
        answer: LIVE,
        continuity: 'rebuilt',
        continuityReason: LIVE_LINE,
        ...change,
      },
      { database, forge: at.stage.outgoing, now: () => 6, assertMine: async () => {} },
    );
    return at;
  }

  test('the pull request: only the own issue is closed', async () => {
    const { stage, branch } = await publish({});
    const pull = trial.forge.state.items.find((one) => one.pull?.headRef === branch)!;
    expect(pull.title).toSatisfy(isQuiet);
    expect(pull.body).toContain(`Closes #${stage.number}`);
    expect(trial.forge.state.comments.at(-1)!.body).toSatisfy(isQuiet);
  });

  test('the answer, with what was refused', async () => {
    await publish({
      branch: {
        name: 'x',
        base: 'main',
        opensPull: true,
        planned: null,
        refusePull: async () => null,
        push: async () => ({ kind: 'rejected', reason: LIVE, why: { kind: 'rules', what: LIVE } }),
      },
    });
    expect(trial.forge.state.comments.at(-1)!.body).toSatisfy(isQuiet);
  });

  test('the review', async () => {
    const { branch, sha } = await world();
    const opening = { title: 'Theirs', body: '', head: branch, base: 'main' };
    const { number } = await trial.forge.as('ada').openPull(REPO, opening);
    await publish({ publish: 'review', itemNumber: number, reviewed: { kind: 'commit', sha }, branch: null });
    expect(trial.forge.state.reviews.at(-1)!.body).toSatisfy(isQuiet);
    // An answer without a verdict is a comment, and says so.
    expect(trial.forge.state.reviews.at(-1)).toMatchObject({
      state: 'COMMENT',
      commit: sha,
      body: expect.stringContaining('no line that gives one'),
    });
  });
});
