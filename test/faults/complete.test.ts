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

test.each(Object.entries(ELSEWHERE))('%s is passed in %s', (point, file) => {
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  const named = file.startsWith('src/layers') ? 'LAYER_POINTS' : point.split('.')[0]!;
  expect(text).toContain(named);
});
