import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { commentEvent } from '../../test/support/sample-events.ts';
import { ForgeRefused, ForgeUnavailable, GitFailed, LeaseLost } from '../errors.ts';
import { resolveConversation } from '../mailbox/conversations.ts';
import { type Effect, type EffectDeps, once } from './effects.ts';

describeDatabases('effects', (open) => {
  async function stage(): Promise<{
    database: TestDatabase;
    deps: EffectDeps;
    effect: Effect<{ id: number }>;
    calls: string[];
  }> {
    const database = await open();
    const { repository, item } = commentEvent('hello');
    const conversation = await resolveConversation(database.rows, {
      forge: 'home',
      repository,
      agent: 'dev',
      item: { ...item!, number: 1 },
      now: 1,
    });
    const calls: string[] = [];
    const deps = { database, now: () => 5, assertMine: async () => {} };
    const effect: Effect<{ id: number }> = {
      dispatchId: 'd1',
      conversationId: conversation.id,
      kind: 'comment',
      request: { text: 'hi' },
      find: async () => {
        calls.push('find');
        return null;
      },
      perform: async () => {
        calls.push('perform');
        return { id: 7 };
      },
    };
    return { database, deps, effect, calls };
  }

  test('is done once, however often it is asked for', async () => {
    const { deps, effect, calls } = await stage();
    expect(await once(deps, effect)).toEqual({ kind: 'done', result: { id: 7 } });
    expect(await once(deps, effect)).toEqual({ kind: 'done', result: { id: 7 } });
    expect(calls).toEqual(['perform']);
  });

  test('is a row before it is an act', async () => {
    const { database, deps, effect } = await stage();
    const perform = async () => {
      const row = await database.rows.selectFrom('effects').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ state: 'planned', attempts: 1, key: 'd1:comment' });
      return { id: 1 };
    };
    await once(deps, { ...effect, perform });
    expect(await database.rows.selectFrom('effects').select('state').executeTakeFirst()).toEqual({
      state: 'done',
    });
  });

  test('that may have been done is looked for before it is done again', async () => {
    const { deps, effect, calls } = await stage();
    const lost = async (): Promise<{ id: number }> => {
      calls.push('perform');
      throw new ForgeUnavailable('the answer was lost');
    };
    await expect(once(deps, { ...effect, perform: lost })).rejects.toThrow('the answer was lost');
    const found = await once(deps, { ...effect, find: async () => ({ id: 9 }) });
    expect(found).toEqual({ kind: 'done', result: { id: 9 } });
    expect(calls).toEqual(['perform']);
  });

  test('that was not found is done', async () => {
    const { deps, effect, calls } = await stage();
    const fail = () => Promise.reject(new ForgeUnavailable('down'));
    await expect(once(deps, { ...effect, perform: fail })).rejects.toThrow('down');
    expect(await once(deps, effect)).toMatchObject({ kind: 'done' });
    expect(calls).toEqual(['find', 'perform']);
  });

  test.each([
    ['the forge', new ForgeRefused('no', 422)],
    ['git', new GitFailed('no', { exitCode: 1, stderr: '', transient: false })],
  ])('that %s refuses for good is not tried again', async (_who, error) => {
    const { deps, effect, calls } = await stage();
    expect(await once(deps, { ...effect, perform: () => Promise.reject(error) })).toEqual({
      kind: 'refused',
      reason: 'no',
      error,
    });
    expect(await once(deps, effect)).toEqual({ kind: 'refused', reason: 'no', error: null });
    expect(calls).toEqual([]);
  });

  test('is not begun by a worker that lost its lease', async () => {
    const { database, deps, effect, calls } = await stage();
    const assertMine = () => Promise.reject(new LeaseLost('gone'));
    await expect(once({ ...deps, assertMine }, effect)).rejects.toThrow(LeaseLost);
    expect(calls).toEqual([]);
    expect(await database.rows.selectFrom('effects').selectAll().execute()).toEqual([]);
  });
});
