import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { noteAsked, noteProgress, progressOf } from './progress.ts';

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
