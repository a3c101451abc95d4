import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, dispatchOf, lease, NOW, say, waitingOn } from '../../test/support/mailbox.ts';
import { openAsks } from './asks.ts';
import { noteAsked, noteProgress, progressOf } from './progress.ts';
import { settleDispatch } from './settlement.ts';

describeDatabases('progress of a conversation', (open) => {
  test('dispatches without it are counted in a row, and one that makes some ends the row', async () => {
    const { rows } = await open();
    expect(await progressOf(rows, 'c')).toEqual({ without: 0, askedAt: null });
    const counts: number[] = [];
    for (const made of [false, false, true, false]) {
      counts.push((await noteProgress(rows, 'c', made, 5)).without);
    }
    expect(counts).toEqual([1, 2, 0, 1]);
    expect(await progressOf(rows, 'another')).toEqual({ without: 0, askedAt: null });
  });

  test('it is counted when a dispatch is settled, and kept with the dispatch', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const held = await lease(database);
    const progress = { made: false, asked: true };
    await settleDispatch(database, held, { settlement: { state: 'succeeded' }, progress, now: NOW });
    expect(await progressOf(database.rows, conversation.id)).toEqual({ without: 1, askedAt: NOW });
    expect(await dispatchOf(database.rows, held.dispatch.id)).toMatchObject({ progress: 'none' });
  });

  test('a person who was asked finds it in the inbox, until a run leaves something again', async () => {
    const database = await open();
    const asks = async () => (await openAsks(database.rows, 10)).map(({ kind }) => kind);
    const conversation = await conversationOn(database.rows);
    const settled = async (progress: { made: boolean; asked: boolean }) => {
      await say(database.rows, conversation);
      await settleDispatch(database, await lease(database), {
        settlement: { state: 'succeeded' },
        progress,
        now: NOW,
      });
      return await asks();
    };
    expect(await settled({ made: false, asked: true })).toEqual(['stuck']);
    expect(await settled({ made: false, asked: false })).toEqual(['stuck']);
    expect(await settled({ made: true, asked: false })).toEqual([]);
  });

  test('whoever was asked about a row is not asked about it again; the next row asks anew', async () => {
    const { rows } = await open();
    await noteProgress(rows, 'c', false, 1);
    await noteAsked(rows, 'c', 2);
    await noteAsked(rows, 'c', 3);
    await noteProgress(rows, 'c', false, 4);
    expect(await progressOf(rows, 'c')).toEqual({ without: 2, askedAt: 2 });
    await noteProgress(rows, 'c', true, 5);
    expect(await progressOf(rows, 'c')).toEqual({ without: 0, askedAt: null });
  });
});
