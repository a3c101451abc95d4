/** The guards that `npm run prove` switches off are found by their text: a text that has moved on proves nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GUARDS } from '../scripts/guards.ts';

const root = join(import.meta.dirname, '..');

test('every text that a guard is switched off by stands in its file exactly once', () => {
  const wrong = GUARDS.flatMap(({ name, off }) =>
    off
      .map(({ file, find }) => ({
        name,
        file,
        times: readFileSync(join(root, file), 'utf8').split(find).length - 1,
      }))
      .filter(({ times }) => times !== 1),
  );
  expect(wrong).toEqual([]);
});

test('every guard names tests that are there, and has a name of its own', () => {
  const missing = GUARDS.flatMap((g) => g.tests.files).filter((file) => !existsSync(join(root, file)));
  expect(missing).toEqual([]);
  const names = GUARDS.map((g) => g.name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
