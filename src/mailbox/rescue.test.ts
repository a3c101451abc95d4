import { expect, test } from 'vitest';
import { describeDatabases, untilWaiting } from '../../test/support/databases.ts';
import {
  dispatchesIn,
  dispatchOf,
  LEASE_MS,
  lease,
  messagesIn,
  NOW,
  say,
  waitingOn,
} from '../../test/support/mailbox.ts';
import { LeaseLost } from '../errors.ts';
import { assertLease, renewLease } from './leases.ts';
import { type Rescue, rescueExpired, settleDispatch } from './settlement.ts';

const EXPIRED = NOW + LEASE_MS;
const expiredOnly: Rescue = { now: EXPIRED, deadWorkers: 'expired-only', reason: 'lease expired' };

describeDatabases('rescuing', (open) => {
  test('an expired run becomes interrupted and gives its messages back', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    expect(await rescueExpired(database, { ...expiredOnly, now: EXPIRED - 1 })).toEqual([]);
    expect(await rescueExpired(database, expiredOnly)).toEqual([held.dispatch.id]);
    expect(await rescueExpired(database, expiredOnly)).toEqual([]);
    expect(await dispatchesIn(database.rows)).toMatchObject([
      { state: 'interrupted', reason: 'lease expired', due_at: EXPIRED },
    ]);
    expect(await messagesIn(database.rows)).toMatchObject([{ state: 'waiting', dispatch_id: null }]);
    const next = await lease(database, { worker: 'worker-2', now: EXPIRED });
    expect(next.dispatch).toMatchObject({ id: held.dispatch.id, attempt: 2, worker: 'worker-2' });
  });

  test('the old holder can write nothing any more', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const old = await lease(database);
    await rescueExpired(database, expiredOnly);
    const late = settleDispatch(database, old, { settlement: { state: 'succeeded' }, now: EXPIRED });
    await expect(late).rejects.toThrow(LeaseLost);
    const current = await lease(database, { now: EXPIRED });
    const later = settleDispatch(database, old, {
      settlement: { state: 'failed', reason: 'x' },
      now: EXPIRED,
    });
    await expect(later).rejects.toThrow(LeaseLost);
    expect((await dispatchOf(database.rows, current.dispatch.id)).state).toBe('running');
    await settleDispatch(database, current, { settlement: { state: 'succeeded' }, now: EXPIRED });
    expect((await messagesIn(database.rows))[0]!.state).toBe('answered');
  });

  test('runs of dead workers do not wait for their leases', async () => {
    const database = await open();
    await waitingOn(database.rows, { number: 1 });
    await waitingOn(database.rows, { number: 2 });
    const dead = await lease(database, { worker: 'dead' });
    const alive = await lease(database, { worker: 'alive' });
    const rescue = { now: NOW + 1, deadWorkers: ['dead', 'long gone'], reason: 'the service was restarted' };
    expect(await rescueExpired(database, rescue)).toEqual([dead.dispatch.id]);
    expect(await dispatchOf(database.rows, alive.dispatch.id)).toMatchObject({ state: 'running' });
    await expect(renewLease(database.rows, dead, EXPIRED)).rejects.toThrow(LeaseLost);
    await renewLease(database.rows, alive, EXPIRED + 1);
  });

  test('without dead workers only expired runs are rescued', async () => {
    const database = await open();
    await waitingOn(database.rows);
    await lease(database);
    expect(await rescueExpired(database, { ...expiredOnly, now: NOW, deadWorkers: [] })).toEqual([]);
    expect(await rescueExpired(database, { ...expiredOnly, deadWorkers: [] })).toHaveLength(1);
  });

  test('what came in the meantime goes with the rescued dispatch', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    const { dispatchId } = await say(database.rows, held.conversation);
    await rescueExpired(database, expiredOnly);
    expect((await dispatchOf(database.rows, dispatchId)).state).toBe('cancelled');
    const next = await lease(database, { now: EXPIRED });
    expect([next.dispatch.id, next.messages.length]).toEqual([held.dispatch.id, 2]);
  });

  test('many rescuers at once rescue each run once', async () => {
    const database = await open();
    for (const number of [1, 2, 3]) await waitingOn(database.rows, { number });
    const held = [await lease(database), await lease(database), await lease(database)];
    const rescued = await Promise.all(Array.from({ length: 6 }, () => rescueExpired(database, expiredOnly)));
    expect(rescued.flat().sort()).toEqual(held.map((l) => l.dispatch.id).sort());
  });

  test('a run that is settled in the same moment is left alone, and so is what waits after it', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    const { dispatchId } = await say(database.rows, held.conversation);
    const holding = Promise.withResolvers<void>();
    const settling = database.transaction(async (tx) => {
      await assertLease(tx, held);
      holding.resolve();
      await untilWaiting(database);
      await tx
        .updateTable('dispatches')
        .set({ state: 'succeeded' })
        .where('id', '=', held.dispatch.id)
        .execute();
      await tx.updateTable('conversations').set({ lease_worker: null, lease_until: 0 }).execute();
    });
    await holding.promise;
    expect(await rescueExpired(database, expiredOnly)).toEqual([]);
    await settling;
    expect((await dispatchOf(database.rows, held.dispatch.id)).state).toBe('succeeded');
    expect((await dispatchOf(database.rows, dispatchId)).state).toBe('queued');
  });

  test('a lease that is renewed in the same moment is kept', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const held = await lease(database);
    const holding = Promise.withResolvers<void>();
    const renewing = database.transaction(async (tx) => {
      await renewLease(tx, held, EXPIRED + LEASE_MS);
      holding.resolve();
      await untilWaiting(database);
    });
    await holding.promise;
    expect(await rescueExpired(database, expiredOnly)).toEqual([]);
    await renewing;
    await renewLease(database.rows, held, EXPIRED + 2 * LEASE_MS);
  });
});
