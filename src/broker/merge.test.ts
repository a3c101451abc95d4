import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloneAs, commitAndPush, REPO, startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerRun, brokerStage, newId } from '../../test/support/broker.ts';
import { openSqlite } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import { ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import type { BrokerScope } from './scope.ts';

const tools = needs('git');
let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
});
afterAll(async () => await trial.end());

const ada = () => trial.forge.as('ada');

/** A pull request of bo on its own base, so that rules of one test do not meet another. */
async function stageOf(): Promise<{
  number: number;
  sha: string;
  base: string;
  forge: Forge;
  run: BrokerRun;
  again(forge?: Forge, scope?: Partial<BrokerScope>): BrokerRun;
  push(): Promise<string>;
  isMerged(): boolean;
}> {
  const stage = await brokerStage(trial, await openSqlite());
  const base = `base-${stage.number}`;
  await commitAndPush(clone, { branch: base, file: 'base.txt', content: base });
  const branch = `dev/${stage.number}`;
  const sha = await commitAndPush(clone, { branch, file: `${stage.number}.txt`, content: 'x' });
  const again = (forge = stage.forge, scope = {}) =>
    stage.run({ tools: ['open_pull', 'merge'], branch: { name: branch, base }, ...scope }, { forge });
  const run = again();
  const opened = await run.call('open_pull', { title: 'Mend', body: 'It.' });
  const number = Number(/#(\d+)/.exec(opened.text)![1]);
  await trial.forge.as('root').review(REPO, number, { event: 'APPROVED', body: 'Yes.' });
  const isMerged = () => trial.forge.state.items.find((i) => i.number === number)!.pull!.merged !== null;
  const push = async () => await commitAndPush(clone, { branch, file: `${stage.number}.txt`, content: 'y' });
  return { number, sha, base, forge: stage.forge, run, again, push, isMerged };
}

describe.skipIf(!tools.ok)(tools.title('merge'), () => {
  test('a pull request without objections is merged at the commit that was looked at', async () => {
    const { number, sha, run, isMerged } = await stageOf();
    expect((await run.call('merge', { number, head_sha: 'a'.repeat(40) })).text).toContain(`is ${sha} now`);
    expect(isMerged()).toBe(false);
    expect(await run.call('merge', { number, head_sha: sha })).toEqual({
      isError: false,
      text: `#${number} is merged.`,
    });
    expect(isMerged()).toBe(true);
  });

  test('a request for changes of somebody blocks until that account approves', async () => {
    const { number, sha, run, isMerged } = await stageOf();
    await ada().review(REPO, number, { event: 'REQUEST_CHANGES', body: 'No.' });
    await ada().review(REPO, number, { event: 'COMMENT', body: 'Still thinking.' });
    const refused = await run.call('merge', { number, head_sha: sha });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('requested by ada') });
    expect(isMerged()).toBe(false);
    await ada().review(REPO, number, { event: 'APPROVED', body: 'Fine now.' });
    expect((await run.call('merge', { number, head_sha: sha })).isError).toBe(false);
  });

  test('where people merge it is left to them', async () => {
    const { number, sha, forge, again, isMerged } = await stageOf();
    const refused = await again(forge, { mergeBy: () => 'people' }).call('merge', { number, head_sha: sha });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('team.merge: boss') });
    expect(isMerged()).toBe(false);
  });

  test('an approval counts for its commit alone, and not that of the author', async () => {
    const { number, run, push, isMerged } = await stageOf();
    const sha = await push();
    const refused = await run.call('merge', { number, head_sha: sha });
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('Nobody has approved') });
    expect(isMerged()).toBe(false);
    await trial.forge.as('root').review(REPO, number, { event: 'APPROVED', body: 'Yes.' });
    expect((await run.call('merge', { number, head_sha: sha })).isError).toBe(false);
  });

  test('red CI and pending CI are no permission', async () => {
    const { number, sha, run, isMerged } = await stageOf();
    await ada().setStatus(REPO, sha, { state: 'pending', context: 'ci' });
    expect((await run.call('merge', { number, head_sha: sha })).text).toContain('pending is no verdict');
    await ada().setStatus(REPO, sha, { state: 'failure', context: 'ci' });
    expect((await run.call('merge', { number, head_sha: sha })).text).toContain('CI failed: "ci"');
    expect(isMerged()).toBe(false);
    await ada().setStatus(REPO, sha, { state: 'success', context: 'ci' });
    expect((await run.call('merge', { number, head_sha: sha })).isError).toBe(false);
  });

  test('what the forge does not allow yet is scheduled when asked, and happens with the approval', async () => {
    const { number, sha, base, run, isMerged } = await stageOf();
    await ada().protect(REPO, { branch: base, contexts: [], approvals: 2, blockOnRejectedReviews: false });
    const plain = await run.call('merge', { number, head_sha: sha });
    expect(plain).toMatchObject({ isError: true, text: expect.stringContaining('enough approvals') });
    const later = await run.call('merge', { number, head_sha: sha, when_checks_succeed: true });
    expect(later).toMatchObject({ isError: false, text: expect.stringContaining('scheduled') });
    expect(isMerged()).toBe(false);
    await ada().review(REPO, number, { event: 'APPROVED', body: 'Yes.' });
    expect(isMerged()).toBe(true);
  });

  test('allowed merges are made, not scheduled, even when scheduling was offered', async () => {
    const { number, sha, run, isMerged } = await stageOf();
    await run.call('merge', { number, head_sha: sha, when_checks_succeed: true });
    expect(isMerged()).toBe(true);
  });

  test('a merge whose answer was lost is seen, not repeated', async () => {
    const { number, sha, forge, again } = await stageOf();
    const id = newId();
    const lost: Forge = {
      ...forge,
      merge: async (...args) => {
        await forge.merge(...args);
        throw new ForgeUnavailable('The answer was lost.');
      },
    };
    expect((await again(lost).call('merge', { number, head_sha: sha }, id)).isError).toBe(true);
    const calls: string[] = [];
    const watched: Forge = {
      ...forge,
      merge: async (...args) => {
        calls.push('merge');
        return await forge.merge(...args);
      },
    };
    const answer = await again(watched).call('merge', { number, head_sha: sha }, id);
    expect(answer).toEqual({ isError: false, text: `#${number} is merged.` });
    expect(calls).toEqual([]);
  });

  test('a draft and an issue are refused before anything is asked of the forge', async () => {
    const { number, sha, run } = await stageOf();
    await ada().editIssue(REPO, number, { title: 'WIP: Mend' });
    expect((await run.call('merge', { number, head_sha: sha })).text).toContain('is a draft');
    expect((await run.call('merge', { number: number - 1, head_sha: sha })).text).toContain('is an issue');
  });
});
