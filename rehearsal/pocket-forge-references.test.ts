import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needs } from '../test/support/requirements.ts';
import { cloneAs, commitAndPush, REPO, startTrial, type Trial } from './pocket-forge-trial.ts';

const tools = needs('git');
let trial: Trial;
let clone: string;
beforeAll(async () => {
  trial = await startTrial();
  clone = await cloneAs(trial, 'bo');
});
afterAll(async () => await trial.end());

let made = 0;

/** Opens a pull request that says these things, merges it, and answers the state of the issue it speaks of. */
async function afterMerge(says: {
  title?: (n: number) => string;
  body?: (n: number) => string;
  commit?: (n: number) => string;
  comment?: { by: string; body: (n: number) => string };
  closedBefore?: boolean;
  style?: 'merge' | 'squash' | 'rebase';
}): Promise<'open' | 'closed'> {
  made += 1;
  const branch = `words-${made}`;
  const { number } = await trial.forge.as('ada').createIssue(REPO, { title: 'Keep me', body: '' });
  if (says.closedBefore === true) await trial.forge.as('ada').close(REPO, number);
  const message = says.commit?.(number) ?? 'Work';
  await commitAndPush(clone, { branch, file: `${branch}.txt`, content: 'x', message });
  const title = says.title?.(number) ?? 'Work';
  const pull = { title, body: says.body?.(number) ?? '', head: branch, base: 'main' };
  const { number: at } = await trial.forge.as('cy').openPull(REPO, pull);
  if (says.comment !== undefined) {
    await trial.forge.as(says.comment.by).comment(REPO, at, says.comment.body(number));
  }
  await trial.forge.as('bo').merge(REPO, at, { style: says.style ?? 'merge' });
  return trial.forge.state.items.find((item) => item.number === number)!.state;
}

describe.skipIf(!tools.ok)(tools.title('at a merge, an issue is closed by'), () => {
  test.each([
    ['a title of a stranger', { title: (n: number) => `Work: closes #${n}` }],
    ['a title, when squashed', { title: (n: number) => `Work: closes #${n}`, style: 'squash' as const }],
    ['a description', { body: (n: number) => `Fixes: #${n}.` }],
    ['its long name', { body: (n: number) => `Resolves ${REPO}#${n}` }],
    ['its address', { body: (n: number) => `Resolves ${trial.forge.url}/${REPO}/issues/${n}` }],
    ['a commit', { commit: (n: number) => `Work\n\nCloses #${n}` }],
    ['a comment of a writer', { comment: { by: 'bo', body: (n: number) => `closes #${n}` } }],
  ])('%s', async (_, says) => {
    expect(await afterMerge(says)).toBe('closed');
  });

  test.each([
    ['a comment of a stranger', { comment: { by: 'cy', body: (n: number) => `closes #${n}` } }],
    ['words in code', { body: (n: number) => `\`closes #${n}\`` }],
    ['a word that is broken', { title: (n: number) => `Work: closes\u200d #${n}` }],
    ['no word at all', { body: (n: number) => `See #${n}` }],
  ])('not by %s', async (_, says) => {
    expect(await afterMerge(says)).toBe('open');
  });

  test('and opened', async () => {
    expect(await afterMerge({ body: (n) => `Reopens #${n}`, closedBefore: true })).toBe('open');
    expect(await afterMerge({ closedBefore: true })).toBe('closed');
  });
});
