import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { lease, NOW, tryLease, waitingOn } from '../../test/support/mailbox.ts';
import { currentParks, holds, parkCredential, parkName } from './parks.ts';
import { settleDispatch } from './settlement.ts';

const park = { credential: 'model', until: NOW + 60_000, why: 'usage limit', now: NOW };

describeDatabases('a parked credential', (open) => {
  test('holds every conversation until its time', async () => {
    const database = await open();
    await waitingOn(database.rows);
    await parkCredential(database.rows, park);
    expect(await currentParks(database.rows, NOW)).toEqual([park]);
    expect(await tryLease(database)).toBeNull();
    expect(await tryLease(database, { now: park.until - 1 })).toBeNull();
    expect(await tryLease(database, { now: park.until })).not.toBeNull();
    expect(await currentParks(database.rows, park.until)).toEqual([]);
  });

  test('is parked once, with the newest reason and time', async () => {
    const { rows } = await open();
    await parkCredential(rows, park);
    const newer = { ...park, until: NOW + 90_000, why: 'overloaded', now: NOW + 5 };
    await parkCredential(rows, newer);
    expect(await currentParks(rows, NOW)).toEqual([newer]);
  });

  test('stays parked for the longer of two times, with its reason', async () => {
    const { rows } = await open();
    await parkCredential(rows, park);
    await parkCredential(rows, { ...park, until: park.until - 1, why: 'overloaded', now: NOW + 5 });
    expect(await currentParks(rows, NOW)).toEqual([park]);
  });

  test('of one model holds its agents only', async () => {
    const database = await open();
    await waitingOn(database.rows);
    await parkCredential(database.rows, { ...park, credential: parkName('opus') });
    const models = (model: string) => ({ models: new Map([['dev', model]]) });
    expect(await tryLease(database, models('claude-opus-4-5'))).toBeNull();
    expect(await tryLease(database, models('claude-sonnet-4-5'))).not.toBeNull();
  });

  test('lets what it met go first again when it ends', async () => {
    const database = await open();
    await waitingOn(database.rows, { number: 1 });
    const met = await lease(database);
    await parkCredential(database.rows, park);
    await waitingOn(database.rows, { number: 2 });
    const settlement = { state: 'parked' as const, reason: park.why, until: park.until };
    await settleDispatch(database, met, { settlement, now: NOW });
    const after = { now: park.until };
    expect((await lease(database, after)).conversation.item_number).toBe(1);
    expect((await lease(database, after)).conversation.item_number).toBe(2);
  });

  test('leaves what runs alone and keeps the order of what waits', async () => {
    const database = await open();
    await waitingOn(database.rows, { number: 1 });
    await lease(database);
    await waitingOn(database.rows, { number: 2 });
    await waitingOn(database.rows, { number: 3 });
    await parkCredential(database.rows, park);
    const after = { now: park.until };
    expect((await lease(database, after)).conversation.item_number).toBe(2);
    expect((await lease(database, after)).conversation.item_number).toBe(3);
  });
});

test('a park of one model holds the models of its family, or the one of its name', () => {
  const opus = { credential: parkName('opus') };
  expect(['opus', 'opus[1m]', 'claude-opus-4-5'].map((m) => holds(opus, m))).toEqual([true, true, true]);
  expect([holds(opus, 'claude-haiku-4-5'), holds(opus, null)]).toEqual([false, false]);
  const own = { credential: parkName('router/large-2') };
  expect([holds(own, 'router/large-2'), holds(own, 'router/large-22')]).toEqual([true, false]);
  expect([holds({ credential: parkName(null) }, 'x'), holds({ credential: parkName(null) }, null)]).toEqual([
    true,
    true,
  ]);
});
