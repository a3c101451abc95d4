import { describe, expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import { commentEvent } from '../../test/support/sample-events.ts';
import { itemKey, itemKeyOfConversation } from '../item-key.ts';
import { closedIssues, findConversation, joinConversation, resolveConversation } from './conversations.ts';

const repository = { id: '3', fullName: 'team/shop' };
const home = { forge: 'home', repository };
const pull = (body: string) => ({ item: { kind: 'pull' as const, body } });

describeDatabases('conversations', (open) => {
  test('are found again by forge, repository, item and agent', async () => {
    const { rows } = await open();
    const first = await conversationOn(rows);
    expect(first).toMatchObject({ item_number: 12, item_kind: 'issue', repository_name: 'team/shop' });
    expect((await conversationOn(rows)).id).toBe(first.id);
    const others = [
      await conversationOn(rows, { number: 13 }),
      await conversationOn(rows, { agent: 'review' }),
      await conversationOn(rows, { repositoryId: '4' }),
    ];
    expect(new Set([first.id, ...others.map((c) => c.id)]).size).toBe(4);
  });

  test('a pull request that closes an issue joins the issue’s conversation of the same agent', async () => {
    const { rows } = await open();
    const issue = await conversationOn(rows);
    const joined = await conversationOn(rows, { number: 13, ...pull('Closes #12') });
    expect(joined.id).toBe(issue.id);
    const reviewer = await conversationOn(rows, { number: 13, agent: 'review', ...pull('Closes #12') });
    expect(reviewer.id).not.toBe(issue.id);
    // The text may change afterwards; the item stays where its history is.
    expect((await conversationOn(rows, { number: 13, ...pull('') })).id).toBe(issue.id);
  });

  test('a pull request joins the first closed issue that has a conversation', async () => {
    const { rows } = await open();
    const issue = await conversationOn(rows);
    const joined = await conversationOn(rows, { number: 13, ...pull('Fixes #99, resolves #12') });
    expect(joined.id).toBe(issue.id);
  });

  test('an issue that says "closes" joins nothing', async () => {
    const { rows } = await open();
    const issue = await conversationOn(rows);
    const other = await conversationOn(rows, { number: 14, item: { body: 'Closes #12' } });
    expect(other.id).not.toBe(issue.id);
  });

  test('of another repository are not joined', async () => {
    const { rows } = await open();
    const issue = await conversationOn(rows);
    const other = await conversationOn(rows, { number: 13, repositoryId: '4', ...pull('Closes #12') });
    expect(other.id).not.toBe(issue.id);
  });

  test('an item already in one stays there', async () => {
    const { rows } = await open();
    const first = await conversationOn(rows);
    const second = await conversationOn(rows, { number: 20 });
    const key = { item: itemKeyOfConversation(second), agent: 'dev' };
    await joinConversation(rows, key, first.id);
    expect((await findConversation(rows, key))?.id).toBe(second.id);
  });

  test('of issue 5 and of pull request 5 are two, on a forge that numbers them apart', async () => {
    const { rows } = await open();
    const issue = await conversationOn(rows, { number: 5 });
    const other = await conversationOn(rows, { number: 5, ...pull('') });
    expect(other.id).not.toBe(issue.id);
    expect(other).toMatchObject({ item_number: 5, item_kind: 'pull' });
    const found = async (kind: 'issue' | 'pull') =>
      (await findConversation(rows, { item: itemKey(home, { kind, number: 5 }), agent: 'dev' }))?.id;
    expect(await found('issue')).toBe(issue.id);
    expect(await found('pull')).toBe(other.id);
    // A text says the number alone, and means the issue where there are both.
    expect((await conversationOn(rows, { number: 6, ...pull('Closes #5') })).id).toBe(issue.id);
  });

  test('are found by a number alone where a forge numbers issues and pull requests together', async () => {
    const { rows } = await open();
    const only = await conversationOn(rows, { number: 5, ...pull('') });
    expect((await conversationOn(rows, { number: 6, ...pull('Closes #5') })).id).toBe(only.id);
  });

  test('follow a repository that was renamed', async () => {
    const { rows } = await open();
    const first = await conversationOn(rows);
    const renamed = { id: '3', fullName: 'team/store' };
    const address = { forge: 'home', repository: renamed, agent: 'dev', now: NOW };
    const again = await resolveConversation(rows, { ...address, item: commentEvent('hello').item! });
    expect(again).toEqual({ ...first, repository_name: 'team/store' });
    const key = { item: itemKeyOfConversation(first), agent: 'dev' };
    expect((await findConversation(rows, key))?.repository_name).toBe('team/store');
  });

  test('are joined by a pull request that closes the issue, if its author may', async () => {
    const { rows } = await open();
    const first = await conversationOn(rows);
    const item = { ...commentEvent('hello').item!, kind: 'pull' as const, body: 'Closes #12' };
    const by = { forge: 'home', repository, agent: 'dev', now: NOW };
    const strangers = await resolveConversation(rows, { ...by, item: { ...item, number: 20 } });
    expect(strangers.id).not.toBe(first.id);
    const trusted = await resolveConversation(rows, { ...by, item: { ...item, number: 21 }, mayJoin: true });
    expect(trusted.id).toBe(first.id);
  });

  test('cannot be made twice for one item and agent', async () => {
    const { rows } = await open();
    const first = await conversationOn(rows);
    const twin = { ...first, id: 'twin' };
    await expect(rows.insertInto('conversations').values(twin).execute()).rejects.toThrow(/unique/i);
  });
});

describe('closedIssues', () => {
  test.each([
    ['Closes #12', [12]],
    ['fixes: #3 and RESOLVED #4', [3, 4]],
    ['close #1\nfixed #2\nresolve   #3', [1, 2, 3]],
    ['see #12', []],
    ['discloses #12', []],
    ['closes#12', []],
    ['closes other/repo#12', []],
    ['', []],
  ])('%j', (text, numbers) => {
    expect(closedIssues(text)).toEqual(numbers);
  });
});
