/** The usual run leaves no fault point out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAULT_POINTS } from '../../src/faults.ts';
import { ELSEWHERE, isUsual, kills } from './case.ts';

test('every point that a dispatch passes is killed at in each run of the suite, as often as it passes it', () => {
  const first = kills('first').filter((kill) => isUsual('sqlite', 'first', kill));
  const later = kills('later').filter((kill) => isUsual('postgres', 'later', kill));
  const points = new Set([...first, ...later].map(({ point }) => point));
  expect(FAULT_POINTS.filter((point) => !points.has(point))).toEqual(
    FAULT_POINTS.filter((point) => point in ELSEWHERE),
  );
  expect(first.length).toBeGreaterThan(10);
  expect(later.length).toBeGreaterThan(10);
});

const passings = Object.entries(ELSEWHERE).flatMap(([point, files]) =>
  files.map((file) => ({ point, file })),
);

/** Files that take points from a list, or from a process of theirs, by what they name in place of the point. */
const BY_LIST: Record<string, string> = {
  'src/inbox/pieces.test.ts': 'pieces-process.ts',
  'src/reconciler.test.ts': "startsWith('reconcile.')",
  'src/layers/killed.test.ts': 'LAYER_POINTS',
};

test.each(passings)('$point is passed in $file', ({ point, file }) => {
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  expect(text).toMatch(BY_LIST[file] === undefined ? new RegExp(`['@]${point}'`) : BY_LIST[file]);
});
