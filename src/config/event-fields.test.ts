/** What no delivery has, compared with the recordings of running servers. */
import { expect, test } from 'vitest';
import { parseRecorded, recordedNames } from '../../test/fixtures/recorded.ts';
import type { ForgeEventName } from '../vocabulary.ts';
import { eventsWith, isAlwaysNull } from './event-fields.ts';

const FIELDS = ['item', 'pull', 'comment', 'review', 'ci', 'push', 'requestedReviewer'] as const;

test.each(['forgejo', 'gitea'] as const)('no recorded event of %s has what its kind never has', (kind) => {
  const deliveries = recordedNames(kind).filter((name) => !name.startsWith('api-'));
  const events = deliveries.flatMap((name) => {
    const outcome = parseRecorded(kind, name);
    return outcome.kind === 'event' ? [outcome.event] : [];
  });
  expect(events.length).toBeGreaterThan(20);
  const wrong = events.flatMap((event) =>
    FIELDS.filter((field) => event[field] !== null && isAlwaysNull(event.name as ForgeEventName, field)).map(
      (field) => `${event.name} has ${field}`,
    ),
  );
  expect(wrong).toEqual([]);
});

test('what an event always lacks is had by another', () => {
  for (const field of FIELDS) expect(eventsWith(field)).not.toEqual([]);
});
