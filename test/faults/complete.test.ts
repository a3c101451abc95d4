/** The usual run leaves no fault point out. */
import { expect, test } from 'vitest';
import { FAULT_POINTS } from '../../src/faults.ts';
import { LAYER_POINTS } from '../support/layers-stage.ts';
import { isUsual, kills } from './case.ts';

test('every point that a dispatch passes is killed at in each run of the suite, as often as it passes it', () => {
  const first = kills('first').filter((kill) => isUsual('sqlite', 'first', kill));
  const later = kills('later').filter((kill) => isUsual('postgres', 'later', kill));
  const points = new Set([...first, ...later].map(({ point }) => point));
  // Only a large body comes in pieces, only what was missed is reconciled, and set-up commands run in no bare process:
  // src/inbox/pieces.test.ts, src/reconciler/kill.test.ts and src/layers/killed.test.ts kill there.
  const elsewhere = (point: string) =>
    point.startsWith('reconcile.') || point === 'webhook.pieces' || LAYER_POINTS.some((one) => one === point);
  expect(FAULT_POINTS.filter((point) => !points.has(point) && !elsewhere(point))).toEqual([]);
  expect(first.length).toBeGreaterThan(10);
  expect(later.length).toBeGreaterThan(10);
});
