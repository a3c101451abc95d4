import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { dispatchOf, lease, NOW, say, tryLease, waitingOn } from '../../test/support/mailbox.ts';
import type { Rows } from '../database/database.ts';
import {
  agentScope,
  conversationScope,
  credentialScope,
  currentHolds,
  EVERYTHING,
  endHolds,
  type HoldScope,
  holdsModel,
  holdsOn,
  liftHold,
  type NewHold,
  placeHold,
  repositoryScope,
} from './holds.ts';
import { settleDispatch } from './settlement.ts';

const UNTIL = NOW + 60_000;
const ADA = { kind: 'person', name: 'ada' } as const;

function place(rows: Rows, partial: Partial<NewHold> = {}) {
  return placeHold(rows, {
    scope: credentialScope(null),
    until: UNTIL,
    reason: 'usage limit',
    by: { kind: 'limit' },
    now: NOW,
    ...partial,
  });
}

describeDatabases('a hold', (open) => {
  test('of a credential holds every conversation until its time, which is noted once', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const hold = await place(database.rows);
    expect(await currentHolds(database.rows, NOW)).toMatchObject([{ id: hold.id, reason: 'usage limit' }]);
    expect(await tryLease(database)).toBeNull();
    expect(await tryLease(database, { now: UNTIL - 1 })).toBeNull();
    expect(await endHolds(database.rows, UNTIL - 1)).toEqual([]);
    expect(await tryLease(database, { now: UNTIL })).not.toBeNull();
    expect(await currentHolds(database.rows, UNTIL)).toEqual([]);
    expect(await endHolds(database.rows, UNTIL)).toMatchObject([{ id: hold.id, ended_at: UNTIL }]);
    expect(await endHolds(database.rows, UNTIL)).toEqual([]);
  });

  test('of the service is the longer of two, with its reason; of a person the newest', async () => {
    const { rows } = await open();
    const first = await place(rows);
    const shorter = await place(rows, { until: UNTIL - 1, reason: 'overloaded' });
    expect(shorter).toMatchObject({ id: first.id, until: UNTIL, reason: 'usage limit' });
    expect(await place(rows, { until: UNTIL + 1, reason: 'longer' })).toMatchObject({
      id: first.id,
      until: UNTIL + 1,
      reason: 'longer',
    });
    expect(await place(rows, { until: null, reason: 'for good' })).toMatchObject({ until: null });
    expect(await place(rows, { reason: 'ends again' })).toMatchObject({ until: null, reason: 'for good' });
    await place(rows, { by: ADA, until: null, reason: 'holiday' });
    await place(rows, { by: { ...ADA, name: 'bob' }, reason: 'back sooner' });
    expect(await currentHolds(rows, NOW)).toMatchObject([
      { by_kind: 'limit', reason: 'for good' },
      { by_kind: 'person', by_name: 'bob', until: UNTIL, reason: 'back sooner' },
    ]);
  });

  test('that is over does not come back by a new one of its scope', async () => {
    const { rows } = await open();
    const old = await place(rows);
    const next = await place(rows, { now: UNTIL + 5, until: UNTIL + 9, reason: 'again' });
    expect(next.id).not.toBe(old.id);
    expect(await rows.selectFrom('holds').select(['id', 'ended_at']).orderBy('seq').execute()).toEqual([
      { id: old.id, ended_at: UNTIL },
      { id: next.id, ended_at: null },
    ]);
  });

  test('of each scope holds what it names and nothing else', async () => {
    const database = await open();
    const one = await waitingOn(database.rows, { number: 1 });
    await waitingOn(database.rows, { number: 2, agent: 'review', repositoryId: '4' });
    const free = async (scope: HoldScope): Promise<number[]> => {
      const { id } = await place(database.rows, { scope, by: ADA, until: null });
      const leased: number[] = [];
      for (let next = await tryLease(database); next !== null; next = await tryLease(database)) {
        leased.push(next.conversation.item_number);
        await settleDispatch(database, next, { settlement: { state: 'succeeded' }, now: NOW });
        await say(database.rows, next.conversation);
        if (leased.length === 2) break;
      }
      await liftHold(database.rows, { id, by: ADA, now: NOW });
      return leased;
    };
    const others = [2, 2];
    expect(await free(EVERYTHING)).toEqual([]);
    expect(await free(credentialScope(null))).toEqual([]);
    expect(await free(agentScope('dev'))).toEqual(others);
    expect(await free(repositoryScope(one))).toEqual(others);
    expect(await free(conversationScope(one))).toEqual(others);
    expect(await free(repositoryScope({ ...one, forge: 'other' }))).toHaveLength(2);
    const target = { ...one, model: null };
    await place(database.rows, { scope: conversationScope(one), by: { kind: 'court' } });
    await place(database.rows, { scope: agentScope('review'), by: { kind: 'budget' } });
    expect(await holdsOn(database.rows, target, NOW)).toMatchObject([{ by_kind: 'court' }]);
  });

  test('of one model holds its agents only', async () => {
    const database = await open();
    await waitingOn(database.rows);
    await place(database.rows, { scope: credentialScope('opus') });
    const models = (model: string) => ({ models: new Map([['dev', model]]) });
    expect(await tryLease(database, models('claude-opus-4-5'))).toBeNull();
    expect(await tryLease(database, models('claude-sonnet-4-5'))).not.toBeNull();
  });

  test('lets what it met go first again when it ends', async () => {
    const database = await open();
    await waitingOn(database.rows, { number: 1 });
    const met = await lease(database);
    const hold = await place(database.rows);
    await waitingOn(database.rows, { number: 2 });
    const settlement = { state: 'parked', reason: hold.reason, until: UNTIL, holdId: hold.id } as const;
    await settleDispatch(database, met, { settlement, now: NOW });
    expect((await lease(database, { now: UNTIL })).conversation.item_number).toBe(1);
    expect((await lease(database, { now: UNTIL })).conversation.item_number).toBe(2);
  });

  test('leaves what runs alone and keeps the order of what waits', async () => {
    const database = await open();
    await waitingOn(database.rows, { number: 1 });
    await lease(database);
    await waitingOn(database.rows, { number: 2 });
    await waitingOn(database.rows, { number: 3 });
    await place(database.rows);
    expect((await lease(database, { now: UNTIL })).conversation.item_number).toBe(2);
    expect((await lease(database, { now: UNTIL })).conversation.item_number).toBe(3);
  });

  test('that is lifted early makes what it put off due at once', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const met = await lease(database);
    const hold = await place(database.rows);
    const settlement = { state: 'parked', reason: hold.reason, until: UNTIL, holdId: hold.id } as const;
    await settleDispatch(database, met, { settlement, now: NOW });
    expect(await tryLease(database, { now: NOW + 1 })).toBeNull();
    expect(
      await liftHold(database.rows, { scope: credentialScope(null), by: ADA, now: NOW + 2 }),
    ).toMatchObject({
      lifted: [{ id: hold.id }],
      kept: [],
    });
    expect(await dispatchOf(database.rows, met.dispatch.id)).toMatchObject({
      due_at: NOW + 2,
      hold_id: null,
    });
    expect((await lease(database, { now: NOW + 2 })).dispatch.id).toBe(met.dispatch.id);
    expect(await liftHold(database.rows, { id: hold.id, by: ADA, now: NOW + 3 })).toEqual({
      lifted: [],
      kept: [],
    });
  });

  test('of a person or of the court is lifted by a person only', async () => {
    const { rows } = await open();
    const scope = agentScope('dev');
    for (const by of [ADA, { kind: 'court' }, { kind: 'budget' }, { kind: 'limit' }] as const) {
      await place(rows, { scope, by });
    }
    const kinds = async (by: NewHold['by']) => {
      const { lifted, kept } = await liftHold(rows, { scope, by, now: NOW });
      return [lifted, kept].map((holds) => holds.map((hold) => hold.by_kind).join());
    };
    expect(await kinds({ kind: 'court' })).toEqual(['', 'person,court,budget,limit']);
    expect(await kinds({ kind: 'budget' })).toEqual(['budget', 'person,court,limit']);
    expect(await kinds({ kind: 'limit' })).toEqual(['limit', 'person,court']);
    expect(await kinds({ kind: 'person', name: 'bob' })).toEqual(['person,court', '']);
    expect(await currentHolds(rows, NOW)).toEqual([]);
    expect(await rows.selectFrom('holds').select('lifted_by').orderBy('seq').execute()).toEqual(
      ['bob', 'bob', 'budget', 'limit'].map((lifted_by) => ({ lifted_by })),
    );
  });
});

test('a hold of one model holds the models of its family, or the one of its name', () => {
  const hold = (model: string | null) => ({ scope: credentialScope(model).key });
  expect(['opus', 'opus[1m]', 'claude-opus-4-5'].map((m) => holdsModel(hold('opus'), m))).toEqual([
    true,
    true,
    true,
  ]);
  expect([holdsModel(hold('opus'), 'claude-haiku-4-5'), holdsModel(hold('opus'), null)]).toEqual([
    false,
    false,
  ]);
  const own = hold('router/large-2');
  expect([holdsModel(own, 'router/large-2'), holdsModel(own, 'router/large-22')]).toEqual([true, false]);
  expect([holdsModel(hold(null), 'x'), holdsModel(hold(null), null)]).toEqual([true, true]);
  expect(holdsModel({ scope: EVERYTHING.key }, 'x')).toBe(false);
});
