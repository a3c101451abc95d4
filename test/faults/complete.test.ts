/** No point is left out of the usual run without a word. */
import { expect, test } from 'vitest';
import { FAULT_POINTS } from '../../src/faults.ts';
import { isUsual, kills } from './case.ts';

test('every point that a dispatch passes is killed at in each run of the suite, as often as it passes it', () => {
  const first = kills('first').filter((kill) => isUsual('sqlite', 'first', kill));
  const later = kills('later').filter((kill) => isUsual('postgres', 'later', kill));
  const points = new Set([...first, ...later].map(({ point }) => point));
  // Only a large body comes in pieces, and only what was missed is reconciled: src/inbox/pieces.test.ts and
  // src/reconciler/kill.test.ts kill there.
  const elsewhere = (point: string) => point.startsWith('reconcile.') || point === 'webhook.pieces';
  expect(FAULT_POINTS.filter((point) => !points.has(point) && !elsewhere(point))).toEqual([]);
  expect(first.length).toBeGreaterThan(10);
  expect(later.length).toBeGreaterThan(10);
});
