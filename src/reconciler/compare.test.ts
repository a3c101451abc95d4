import { describe, expect, test } from 'vitest';
import { commentEvent } from '../../test/support/sample-events.ts';
import type { Happened } from '../forges/changes.ts';
import { likenessOf } from '../forges/likeness.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { missingOf } from './compare.ts';
import { firstPace, nextPace } from './pace.ts';

const NOTHING = { likenesses: [] };
const CREATED: ForgeEvent = { ...commentEvent('hello @dev-bot'), occurredAt: '2026-11-28T12:00:00Z' };
const closed = (at: string, key: string): ForgeEvent => ({
  ...CREATED,
  name: 'issue.closed',
  comment: null,
  occurredAt: at,
  semanticKey: key,
});
const edited = (body: string): ForgeEvent => ({
  ...CREATED,
  name: 'comment.edited',
  comment: { ...CREATED.comment!, body },
  mentions: ['dev-bot', 'ada'],
  occurredAt: '2026-11-28T12:05:00Z',
  semanticKey: 'edited',
});

const missing = (happened: Happened[], known: ForgeEvent[], editorsMayWake = true) =>
  missingOf({ happened, known, editorsMayWake }).map(({ event }) => event);

describe('what is missing', () => {
  test('is what has neither the key nor the likeness of a known event', () => {
    const one = { event: CREATED, ...NOTHING };
    expect(missing([one], [CREATED])).toEqual([]);
    expect(missing([one], [])).toEqual([CREATED]);
    // The key decides, whatever the rest says.
    expect(missing([one], [{ ...CREATED, comment: { ...CREATED.comment!, id: 999 } }])).toEqual([]);
    expect(missing([one], [{ ...CREATED, semanticKey: 'of an older text' }])).toEqual([]);
    const other = { ...CREATED, comment: { ...CREATED.comment!, id: 999 }, semanticKey: 'other' };
    expect(missing([one], [other])).toEqual([CREATED]);
  });

  test('a second apart is one happening, a minute apart are two, and each known event stands for one', () => {
    const first = closed('2026-11-28T12:00:00Z', 'a');
    const later = closed('2026-11-28T12:00:01Z', 'b');
    const minute = closed('2026-11-28T12:01:00Z', 'c');
    expect(missing([{ event: first, ...NOTHING }], [later])).toEqual([]);
    expect(missing([{ event: first, ...NOTHING }], [minute])).toEqual([first]);
    const twice = [first, later].map((event) => ({ event, ...NOTHING }));
    expect(missing(twice, [closed('2026-11-28T12:00:01Z', 'd')])).toHaveLength(1);
  });

  test('what else its webhook may look like counts as well', () => {
    const at = '2026-11-28T12:05:00Z';
    const likenesses = [{ likeness: likenessOf(edited('x'))!, at }];
    expect(missing([{ event: CREATED, likenesses }], [edited('x')])).toEqual([CREATED]);
    const before = { ...edited('x'), name: 'comment.created' as const };
    expect(missing([{ event: CREATED, likenesses }], [before])).toEqual([]);
  });

  test('an edit mentions only those whom the text of before did not mention', () => {
    const one: Happened = { event: edited('@dev-bot @ada'), ...NOTHING, isSenderAssumed: true };
    expect(missing([one], [CREATED])).toMatchObject([{ mentions: ['ada'], sender: CREATED.sender }]);
    expect(missing([one], [])).toMatchObject([{ mentions: [] }]);
  });

  test('an edit of a text that was told since the last look is told, and is not when its text was the last one told', () => {
    const now = edited('hello @dev-bot and @ada');
    const written = { ...CREATED, comment: now.comment, semanticKey: 'with the text of now' };
    const one: Happened = { event: written, ...NOTHING, editedSince: { event: now, ...NOTHING } };
    expect(missing([one], [])).toMatchObject([{ name: 'comment.created' }]);
    expect(missing([one], [CREATED])).toMatchObject([{ name: 'comment.edited', mentions: ['ada'] }]);
    expect(missing([one], [CREATED, now])).toEqual([]);
    expect(missing([one], [{ ...CREATED, comment: now.comment }])).toEqual([]);
    const between = {
      ...edited('something else'),
      occurredAt: '2026-11-28T12:03:00Z',
      semanticKey: 'between',
    };
    expect(missing([one], [CREATED, between])).toMatchObject([{ name: 'comment.edited' }]);
    const backAgain = { ...between, occurredAt: '2026-11-28T12:06:00Z' };
    expect(missing([one], [{ ...CREATED, comment: now.comment }, backAgain])).toHaveLength(1);
  });

  test('an edit counts as nobody’s where senders are named one by one', () => {
    const one: Happened = { event: edited('x'), ...NOTHING, isSenderAssumed: true };
    expect(missing([one], [], false)).toMatchObject([{ sender: { id: -1 } }]);
    expect(missing([{ event: CREATED, ...NOTHING }], [], false)).toMatchObject([{ sender: CREATED.sender }]);
  });
});

describe('the pace of looks', () => {
  const both = { forge: { intake: 'both' as const, lookSeconds: null }, now: 1_000_000 };
  const looked = { how: 'looked' as const, missed: 0 };

  test('is usual after a full look, and full again after an hour', () => {
    const first = nextPace(firstPace(0), looked, both);
    expect(first).toMatchObject({ kind: 'usual', dueAt: 1_300_000, fullAt: 1_000_000 });
    const later = nextPace(first, looked, { ...both, now: 1_000_000 + 3_500_000 });
    expect(later.kind).toBe('full');
  });

  test('what webhooks should have told is asked for at once, and polling goes on as it is', () => {
    const usual = { kind: 'usual' as const, dueAt: 0, fullAt: 900_000, failures: 0 };
    const found = { how: 'looked' as const, missed: 3 };
    expect(nextPace(usual, found, both)).toMatchObject({ kind: 'full', dueAt: 1_000_000 });
    const poll = { forge: { intake: 'poll' as const, lookSeconds: 12 }, now: 1_000_000 };
    expect(nextPace(usual, found, poll)).toMatchObject({ kind: 'usual', dueAt: 1_012_000 });
  });

  test('a forge that is away is asked later each time, and given the time that it asks for', () => {
    let pace = firstPace(0);
    const waits = [null, null, null, 90, null].map((asked) => {
      pace = nextPace(pace, { how: 'unavailable', asked }, both);
      return pace.dueAt - both.now;
    });
    expect(waits).toEqual([5000, 10_000, 30_000, 90_000, 120_000]);
    expect(pace).toMatchObject({ kind: 'full', failures: 5 });
    expect(nextPace(pace, looked, both)).toMatchObject({ failures: 0 });
  });
});
