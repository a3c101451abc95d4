/** Every cause of the matrix is run, or is left out by name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testEngines } from '../support/engines.ts';
import { CAUSES } from './causes.ts';
import { isUsual, strangers } from './selection.ts';

const ENGINES = testEngines().map(({ name }) => name);

test('every engine has a file that runs the whole table on it', () => {
  const files = readdirSync(import.meta.dirname).filter(
    (f) => f.endsWith('.test.ts') && f !== 'complete.test.ts',
  );
  expect(files.sort()).toEqual(ENGINES.map((name) => `${name}.test.ts`).sort());
  for (const name of ENGINES) {
    const text = readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8');
    expect(text).toContain(`name === '${name}'`);
  }
});

test('every cell is run, or says why it cannot be', () => {
  const cells = ENGINES.flatMap((engine) =>
    CAUSES.map((cause) => ({ cause: cause.name, why: cause.cannot?.[engine] })),
  );
  const reasons = cells.filter(({ why }) => why !== undefined);
  expect(reasons.filter(({ why }) => why!.length < 20)).toEqual([]);
  // Change this number together with the table. So a cause cannot disappear unseen.
  expect({ causes: CAUSES.length, cells: cells.length, cannot: reasons.length }).toEqual({
    causes: 51,
    cells: 204,
    cannot: 19,
  });
  expect(new Set(CAUSES.map(({ name }) => name)).size, 'names are ids').toBe(CAUSES.length);
});

test('every cause that an engine can have is run usually on at least one of its kind', () => {
  const forgotten = CAUSES.filter(
    (cause) => !ENGINES.some((engine) => cause.cannot?.[engine] === undefined && isUsual(engine, cause)),
  );
  expect(forgotten.map(({ name }) => name)).toEqual([]);
  expect(strangers(CAUSES)).toEqual([]);
});
