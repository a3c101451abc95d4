/** The guards that `npm run prove` switches off are found by marks in the source, which move with the code. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GUARDS } from '../scripts/guards/every.ts';
import { marks, replaced } from '../scripts/guards/marks.ts';
import { kills } from './faults/case.ts';

const root = join(import.meta.dirname, '..');
const edits = GUARDS.flatMap(({ off }) => off);

test('every mark of a guard stands in the source exactly once, and every mark in the source has its guard', () => {
  const wanted = edits.flatMap((edit) => ('mark' in edit ? [edit.mark] : []));
  const written = [...marks(root)].flatMap(([mark, files]) => files.map(() => mark));
  expect(written.toSorted()).toEqual(wanted.toSorted());
});

test('every edit changes its file', () => {
  const found = marks(root);
  const same = edits.filter((edit) => {
    if (!('mark' in edit)) return !readFileSync(join(root, edit.file), 'utf8').includes(edit.find);
    const text = readFileSync(join(root, found.get(edit.mark)![0]!), 'utf8');
    return replaced(text, edit) === text;
  });
  expect(same).toEqual([]);
});

test('every guard names tests that are there, and has a name of its own', () => {
  const missing = GUARDS.flatMap((g) => g.tests.files).filter((file) => !existsSync(join(root, file)));
  expect(missing).toEqual([]);
  const names = GUARDS.map((g) => g.name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('every case of the fault suite that a guard names is one', () => {
  const cases = (['sqlite', 'postgres'] as const).flatMap((dialect) =>
    (['first', 'later'] as const).flatMap((which) =>
      kills(which).map(({ spec }) => `${dialect}/${which}/${spec}`),
    ),
  );
  const unknown = GUARDS.flatMap(({ tests }) => tests.fault ?? []).filter((id) => !cases.includes(id));
  expect(unknown).toEqual([]);
});

describe('what a mark marks', () => {
  const source = [
    'function f() {',
    '  // guard: one',
    '  // guard: two',
    '  if (a) {',
    '    b();',
    '',
    '  } else {',
    '    c();',
    '  }',
    '  d();',
    '}',
  ].join('\n');

  test('is the line with all that belongs to it', () => {
    expect(replaced(source, { mark: 'one', becomes: 'e(\n  1,\n);' }).split('\n').slice(3)).toEqual([
      '  e(',
      '    1,',
      '  );',
      '  d();',
      '}',
    ]);
  });

  test('is so many lines as are asked for', () => {
    const text = replaced(source, { mark: 'two', lines: 1, becomes: 'if (true) {' });
    expect(text).toBe(source.replace('if (a)', 'if (true)'));
  });

  test('goes with an empty text', () => {
    expect(replaced(source, { mark: 'one', becomes: '' }).split('\n').slice(3)).toEqual(['  d();', '}']);
  });

  test('must be there', () => {
    expect(() => replaced(source, { mark: 'three', becomes: '' })).toThrow('mark the guarded line again');
  });
});
