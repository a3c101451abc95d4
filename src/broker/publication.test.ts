/** What the service publishes at the end of a run, after the agent has published by tools. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloneAs, commitAndPush, REPO, startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerStage, brokerStage } from '../../test/support/broker.ts';
import { openSqlite } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import type { Database } from '../database/database.ts';
import { ForgeRefused } from '../errors.ts';
import type { OutgoingForge } from '../outcome/outgoing-forge.ts';
import { type Publication, type Published, publishOutcome, unpostedReason } from '../outcome.ts';

const tools = needs('git');
let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
});
afterAll(async () => await trial.end());

interface Story {
  stage: BrokerStage;
  sha: string;
  pull: number;
  /** its push finds that the agent has pushed all there is */
  branch: NonNullable<Publication['branch']>;
  publish(over?: Partial<Publication>, forge?: Partial<OutgoingForge>): Promise<Published>;
  pulls(): number[];
}

const ada = () => trial.forge.as('ada');
/** Texts of the comments on an item, without our marks. */
const said = (number: number) =>
  trial.forge.state.comments
    .filter((c) => trial.forge.state.items.find((item) => item.id === c.item)!.number === number)
    .map(({ body }) => body.split('\n\n<!--')[0]);
const LOCKED = 'The conversation is locked.';

async function agentOpensPull(): Promise<Story> {
  const database: Database = await openSqlite();
  const stage = await brokerStage(trial, database);
  const branch = `dev/${stage.number}`;
  const sha = await commitAndPush(clone, { branch, file: `${stage.number}.txt`, content: 'x' });
  const opened = await stage.run().call('open_pull', { title: 'Mend', body: `Closes #${stage.number}` });
  const pulls = () =>
    trial.forge.state.items.filter((item) => item.pull?.headRef === branch).map((item) => item.number);
  const own: Story['branch'] = {
    name: branch,
    base: 'main',
    opensPull: true,
    planned: null,
    refusePull: async () => null,
    push: async () => ({ kind: 'up-to-date', sha, news: false }),
  };
  const publish: Story['publish'] = async (over = {}, forge = {}) =>
    await publishOutcome(
      {
        key: { dispatchId: stage.dispatchId, conversationId: stage.conversationId },
        agent: 'dev',
        isOurs: (user) => user.login === 'bo',
        forgeName: 'home',
        repository: { id: '1', fullName: REPO },
        itemNumber: stage.number,
        alsoAsked: [],
        itemTitle: 'Totals',
        publish: 'pull-request',
        branch: own,
        joined: [],
        closes: stage.number,
        reviewed: null,
        leftOver: async () => [],
        answer: 'Done, @ada.',
        continuity: 'fresh',
        continuityReason: '',
        ...over,
      },
      {
        database,
        forge: Object.assign(Object.create(stage.outgoing) as OutgoingForge, forge),
        now: () => 6,
        assertMine: async () => {},
      },
    );
  return { stage, sha, pull: Number(/#(\d+)/.exec(opened.text)![1]), branch: own, publish, pulls };
}

describe.skipIf(!tools.ok)(tools.title('publication after tools'), () => {
  test('a pull request that the agent opened is the one', async () => {
    const { stage, pull, publish, pulls } = await agentOpensPull();
    const published = await publish();
    expect(published).toMatchObject({ pullNumber: pull, refusals: [] });
    expect(pulls()).toEqual([pull]);
    expect((await stage.effects()).map(({ kind }) => kind)).toEqual(['tool:open_pull', 'push', 'comment']);
  });

  test('one that the agent opened and merged does not come back', async () => {
    const { stage, sha, pull, publish, pulls } = await agentOpensPull();
    await trial.forge.as('root').review(REPO, pull, { event: 'APPROVED', body: 'Yes.' });
    const merged = await stage.run({ tools: ['merge'] }).call('merge', { number: pull, head_sha: sha });
    expect(merged.isError).toBe(false);
    expect(await publish()).toMatchObject({ pullNumber: null, refusals: [] });
    expect(pulls()).toEqual([pull]);
  });

  test('each item that asked is answered: with its part, a link, or the whole where the other was refused', async () => {
    const { stage, pull, publish } = await agentOpensPull();
    const issue = stage.number;
    const both = { alsoAsked: [pull], answer: `Answer for #${pull}:\nB.\n\n## Answer for #${issue}\nA.` };
    await publish(both);
    // Again, as after a crash.
    await publish(both);
    expect([said(issue), said(pull)]).toEqual([['A.'], ['B.']]);
    const [other, third] = [await agentOpensPull(), await agentOpensPull()];
    await other.publish({ alsoAsked: [other.pull] });
    expect(said(other.pull)).toEqual([
      expect.stringMatching(`^My answer is on #${other.stage.number}: http.*#issuecomment-`),
    ]);
    const createComment: OutgoingForge['createComment'] = async (repository, number, body) => {
      if (number === third.stage.number) throw new ForgeRefused(LOCKED, 403);
      return await third.stage.outgoing.createComment(repository, number, body);
    };
    const { refusals } = await third.publish({ alsoAsked: [third.pull] }, { createComment });
    expect([refusals, said(third.pull)]).toEqual([[LOCKED], ['Done, @\u200dada.']]);
  });

  test('a review keeps its verdict where the forge refuses a remark on a line', async () => {
    const { pull, sha, stage, publish } = await agentOpensPull();
    const submitted: unknown[] = [];
    const submitReview: OutgoingForge['submitReview'] = async (
      _repository,
      _number,
      { verdict, body, inline },
    ) => {
      submitted.push([verdict, inline.length, body.split('\n')[0]]);
      if (inline.length > 0) throw new ForgeRefused('There is no such line.', 422);
      return { id: 9 };
    };
    const published = await publish(
      {
        publish: 'review',
        itemNumber: pull,
        reviewed: { kind: 'commit', sha },
        answer: `Verdict: request-changes\n\n- grave, \`${stage.number}.txt:70\`: no.\n- The rest is fine.`,
      },
      { submitReview },
    );
    expect(published).toMatchObject({ reviewId: 9, refusals: [] });
    expect(submitted).toEqual([
      ['changes_requested', 1, '- The rest is fine.'],
      ['changes_requested', 0, `- grave, \`${stage.number}.txt:70\`: no.`],
    ]);
  });

  test('what the agent pushed itself is news, and what stays behind is told', async () => {
    const { stage, sha, pull, branch, publish } = await agentOpensPull();
    const published = await publish({
      branch: { ...branch, push: async () => ({ kind: 'up-to-date', sha, news: true }) },
      leftOver: async (pushed) => [`Left beside ${pushed}: notes.txt.`],
    });
    expect(published).toMatchObject({ pushedSha: sha, hasNews: true, pullNumber: pull });
    expect(said(stage.number)).toEqual([
      `Done, @\u200dada.\n\n> Pull request: #${pull}\n\n> Left beside ${sha}: notes.txt.`,
    ]);
  });

  test('where no other pull request is wanted, none is opened, and the answer says why', async () => {
    const { stage, sha, pull, branch, publish, pulls } = await agentOpensPull();
    await ada().close(REPO, pull);
    const refusePull = async () => 'Nobody wants another.';
    const push = async () => ({ kind: 'pushed' as const, sha });
    expect(await publish({ branch: { ...branch, push, refusePull } })).toMatchObject({ pullNumber: null });
    expect(pulls()).toEqual([pull]);
    expect(said(stage.number)).toEqual(['Done, @\u200dada.\n\n> Nobody wants another.']);
  });

  test('every pull request discloses that an agent made it: opened by a tool or at the end, and changed', async () => {
    const { stage, sha, pull, branch, publish, pulls } = await agentOpensPull();
    const disclosure = 'An agent did it.';
    const body = (number: number) => trial.forge.state.items.find((item) => item.number === number)!.body;
    const agent = stage.run({ disclosure });
    await agent.call('update_pull', { number: pull, body: 'Better.' });
    expect(body(pull)).toMatch(/^Better\.\n\n> An agent did it\.\n\n<!-- /);
    await ada().close(REPO, pull);
    await agent.call('open_pull', { title: 'Again', body: 'Anew.' });
    const again = pulls().at(-1)!;
    expect(body(again)).toMatch(/^Anew\.\n\n> An agent did it\.\n\n<!-- /);
    await ada().close(REPO, again);
    const push = async () => ({ kind: 'pushed' as const, sha });
    const published = await publish({ disclosure, branch: { ...branch, push } });
    expect(body(published.pullNumber!)).toContain(`Closes #${stage.number}\n\n> An agent did it.\n\n<!-- `);
  });

  test('an answer that the forge refuses is not posted, and the reason is its own', async () => {
    const { publish } = await agentOpensPull();
    const createComment = async () => {
      throw new ForgeRefused(LOCKED, 403);
    };
    const refused = await publish({}, { createComment });
    expect([refused.refusals, unpostedReason(refused)]).toEqual([[LOCKED], LOCKED]);
    // A refused review that went out as a comment can be read.
    expect(unpostedReason({ ...refused, commentUrl: 'http://forge/1' })).toBeNull();
  });
});
