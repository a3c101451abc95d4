import { describe, expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { assignedEvent } from '../../test/support/sample-events.ts';
import { sampleConversation, sampleFolder, sampleSession } from '../../test/support/sample-session.ts';
import { Ambiguous, NotFound } from '../errors.ts';
import { itemKey } from '../item-key.ts';
import { joinConversation, resolveConversation } from '../mailbox/conversations.ts';
import { findSession } from './marks.ts';
import { findConversations, readReference } from './references.ts';
import { findUnposted } from './unposted.ts';

const FORGES = { home: { url: 'https://forge.example.org/' }, work: { url: 'http://10.0.0.5:3000/git' } };

describe('a reference', () => {
  const at = (forge: string | null, kind: 'issue' | 'pull' | null = null) => ({
    kind: 'item',
    item: { forge, repository: 'ada/greeter', number: 12, kind },
  });
  test.each([
    ['ada/greeter#12', at(null)],
    ['home:ada/greeter#12', at('home')],
    [' work:ada/greeter#12 ', at('work')],
    ['https://forge.example.org/ada/greeter/issues/12', at('home', 'issue')],
    ['https://forge.example.org/ada/greeter/pulls/12', at('home', 'pull')],
    ['https://forge.example.org/ada/greeter/pulls/12/files?style=split#diff-1', at('home', 'pull')],
    ['https://forge.example.org/ada/greeter/issues/12#issuecomment-7', at('home', 'issue')],
    ['http://10.0.0.5:3000/git/ada/greeter/issues/12', at('work', 'issue')],
    // People reach the forge by another name than the service does.
    ['https://git.example.com/ada/greeter/issues/12', at(null, 'issue')],
    ['ada/greeter/issues/12', at(null, 'issue')],
    ['home:ada/greeter/pulls/12', at('home', 'pull')],
    ['0F3B6C1E', { kind: 'id', id: '0f3b6c1e' }],
    ['ada/greeter', { kind: 'id', id: 'ada/greeter' }],
    // PostgreSQL's integers end before it.
    ['ada/greeter#99999999999', { kind: 'id' }],
  ])('%s', (text, is) => {
    expect(readReference(text, FORGES)).toMatchObject(is);
  });

  test.each([
    ['elsewhere:ada/greeter#12', 'The configuration has home, work.'],
    ['https://forge.example.org/ada/greeter', 'Copy it from the page of one'],
    ['https://forge.example.org/ada/greeter/src/branch/main/issues/12a', 'Copy it from the page of one'],
  ])('%s is refused in words', (text, says) => {
    expect(() => readReference(text, FORGES)).toThrow(NotFound);
    expect(() => readReference(text, FORGES)).toThrow(says);
  });
});

describeDatabases('what a reference names', (open) => {
  test('a conversation, by its own id or that of its dispatch or session; all that an id begins', async () => {
    const database = await open();
    const conversation = await sampleConversation(database);
    const { row: session } = await sampleSession(database, { state: sampleFolder(), conversation });
    const ids = ['aaaaaa11-0000-4000-8000-000000000001', 'aaaaaa11-0000-4000-8000-000000000002'];
    const dispatch = { agent: 'dev', priority: 1, created_at: 1, due_at: 1, attempt: 1, carried: '[]' };
    const other = await sampleConversation(database, { agent: 'reviewer' });
    for (const [i, id] of ids.entries()) {
      const conversation_id = [conversation, other][i]!.id;
      await database.rows
        .insertInto('dispatches')
        .values({ id, conversation_id, state: 'succeeded', ...dispatch })
        .execute();
    }
    const found = async (text: string) => (await findConversations(database.rows, text)).map((c) => c.agent);
    expect(await found(session.id.slice(0, 8))).toEqual(['dev']);
    expect(await found(ids[1]!)).toEqual(['reviewer']);
    expect(await found('https://elsewhere.example/TEAM/shop/issues/12')).toEqual(['dev', 'reviewer']);
    expect(await found('work:team/shop#12')).toEqual([]);
    expect(await found('team/shop#99999999999')).toEqual([]);
    const several: unknown = await found('aaaaaa11').catch((error: unknown) => error);
    expect(several).toBeInstanceOf(Ambiguous);
    const { candidates, message } = several as Ambiguous;
    expect(candidates.map((c) => c.id).toSorted()).toEqual([conversation.id, other.id].toSorted());
    expect(message).toMatch(/names 2 conversations: .*on home:team\/shop#12.* Name one of them by its id/);
  });

  test('issue 5 and pull request 5 are two items; a number alone may be either, and says so', async () => {
    const database = await open();
    const { repository, item } = assignedEvent('dev-bot');
    const on = async (kind: 'issue' | 'pull', number: number) => {
      const address = { forge: 'home', repository, agent: 'dev', now: 1 };
      return (await resolveConversation(database.rows, { ...address, item: { ...item!, kind, number } })).id;
    };
    const [issue, pull, alone] = [await on('issue', 5), await on('pull', 5), await on('pull', 6)];
    const found = async (text: string) => (await findConversations(database.rows, text)).map((c) => c.id);
    expect(await found('team/shop/issues/5')).toEqual([issue]);
    expect(await found('https://elsewhere.example/team/shop/pulls/5')).toEqual([pull]);
    // Forgejo leads from the page of an issue to the pull request of that number.
    for (const text of ['team/shop#6', 'team/shop/issues/6']) expect(await found(text)).toEqual([alone]);
    const both: unknown = await found('team/shop#5').catch((error: unknown) => error);
    expect(both).toBeInstanceOf(Ambiguous);
    const { candidates, message } = both as Ambiguous;
    expect(message).toContain(
      'home:team/shop/issues/5 (the issue) and home:team/shop/pulls/5 (the pull request)',
    );
    expect(await Promise.all(candidates.map(({ id }) => found(id)))).toEqual([[issue], [pull]]);
    // Both of one conversation are no question.
    const both7 = { item: itemKey({ forge: 'home', repository }, { kind: 'pull', number: 7 }), agent: 'dev' };
    const shared = await on('issue', 7);
    await joinConversation(database.rows, both7, shared);
    expect(await found('team/shop#7')).toEqual([shared]);
  });

  test('an answer to post, a session to change: never by the id of another dispatch', async () => {
    const database = await open();
    const conversation = await sampleConversation(database);
    const { row: session } = await sampleSession(database, { state: sampleFolder(), conversation });
    const dispatch = { agent: 'dev', priority: 1, created_at: 1, due_at: 1, attempt: 1, carried: '[]' };
    const [answered, unposted] = [
      'bbbbbb11-0000-4000-8000-000000000001',
      'cccccc22-0000-4000-8000-000000000002',
    ];
    for (const [id, state] of [
      [answered, 'succeeded'],
      [unposted, 'unposted'],
    ] as const) {
      await database.rows
        .insertInto('dispatches')
        .values({ id: id!, conversation_id: conversation.id, state, ...dispatch })
        .execute();
    }
    for (const reference of [unposted!, 'cccccc22', conversation.id, 'home:team/shop#12']) {
      expect(await findUnposted(database.rows, reference)).toBe(unposted);
    }
    for (const reference of [conversation.id.slice(0, 8), session.id.slice(0, 8), 'team/shop#12']) {
      expect((await findSession(database.rows, reference)).id).toBe(session.id);
    }
    await expect(findUnposted(database.rows, answered!)).rejects.toThrow('No answer that the forge refused');
    await expect(findUnposted(database.rows, session.id)).rejects.toThrow(NotFound);
    await expect(findSession(database.rows, answered!)).rejects.toThrow('No session is named by');
  });
});
