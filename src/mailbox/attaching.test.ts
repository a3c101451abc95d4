import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import {
  conversationOn,
  dispatchesIn,
  dispatchOf,
  LEASE_MS,
  lease,
  messagesIn,
  NOW,
  say,
  tryLease,
} from '../../test/support/mailbox.ts';
import type { Database } from '../database/database.ts';
import { LeaseLost } from '../errors.ts';
import { attachedSince, endAttached, endLeft, leaseForAttach, leftAttached } from './attaching.ts';
import { type Lease, updateLeased } from './leases.ts';
import { retryWork } from './retrying.ts';
import { rescueExpired, settleDispatch } from './settlement.ts';

async function attach(database: Database, conversationId: string, now = NOW): Promise<Lease> {
  const request = { conversationId, worker: `attach:${now}`, by: 'grace', now, leaseMs: LEASE_MS };
  const answer = await leaseForAttach(database, request);
  if (answer.kind !== 'leased') throw new Error(answer.kind);
  return answer.lease;
}

const REST = { reason: 'grace was at its terminal', turns: 2, now: NOW + 5 };

describeDatabases('a person at the terminal', (open) => {
  test('has the lease alone, takes no message, and what waits goes on after they have left', async () => {
    const database = await open();
    const { rows } = database;
    const { id } = await conversationOn(rows);
    const mine = await attach(database, id);
    await say(rows, mine.conversation);
    expect(await tryLease(database)).toBeNull();
    const again = { conversationId: id, worker: 'other', by: 'ada', now: NOW, leaseMs: LEASE_MS };
    expect(await leaseForAttach(database, again)).toMatchObject({
      kind: 'running',
      dispatch: { id: mine.dispatch.id, attached_by: 'grace' },
    });
    await endAttached(database, mine, REST);
    expect(await dispatchOf(rows, mine.dispatch.id)).toMatchObject({ state: 'cancelled', turns: 2 });
    const next = await lease(database);
    expect(next.messages).toHaveLength(1);
    expect(await leaseForAttach(database, again)).toMatchObject({ dispatch: { attached_by: null } });
    expect((await messagesIn(rows)).map((m) => m.state)).toEqual(['carried']);
  });

  test('who is gone is never put back as a dispatch, and can write nothing more', async () => {
    const database = await open();
    const { rows } = database;
    const { id } = await conversationOn(rows);
    const mine = await attach(database, id);
    await say(rows, mine.conversation);
    const late = NOW + LEASE_MS;
    expect(await leftAttached(rows, late - 1)).toEqual([]);
    const rescue = { now: late, deadWorkers: [mine.worker], reason: 'dead' };
    expect(await rescueExpired(database, rescue)).toEqual([]);
    const [left] = await leftAttached(rows, late);
    expect(await endLeft(database, left!, late)).toBe(true);
    expect(await endLeft(database, left!, late)).toBe(false);
    await expect(endAttached(database, mine, REST)).rejects.toThrow(LeaseLost);
    expect((await dispatchesIn(rows)).map((d) => d.state).sort()).toEqual(['cancelled', 'queued']);
    expect((await lease(database, { now: late })).messages).toHaveLength(1);
  });

  test('takes no place of the agent’s runs, and is not what a retry does again', async () => {
    const database = await open();
    const { rows } = database;
    const attached = await conversationOn(rows, { number: 1 });
    const mine = await attach(database, attached.id);
    const other = await conversationOn(rows, { number: 2 });
    await say(rows, other);
    const running = await lease(database, { agentLimits: new Map([['dev', 1]]) });
    expect(running.conversation.id).toBe(other.id);
    await endAttached(database, mine, REST);
    expect(await retryWork(rows, { conversation: attached, now: NOW })).toBe('nothing');
  });

  test('is told to the next run once: since the last one began', async () => {
    const database = await open();
    const { rows } = database;
    const conversation = await conversationOn(rows);
    const session = async (held: Lease) => await updateLeased(rows, held, { session_id: 's' });
    const run = async (now: number) => {
      await say(rows, conversation, { now });
      const held = await lease(database, { now });
      const before = await attachedSince(rows, held.dispatch);
      await session(held);
      await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now });
      return before;
    };
    expect(await run(NOW)).toEqual([]);
    const mine = await attach(database, conversation.id, NOW + 10);
    await session(mine);
    await endAttached(database, mine, { ...REST, now: NOW + 20 });
    // One that could not begin has said nothing.
    await endAttached(database, await attach(database, conversation.id, NOW + 30), {
      ...REST,
      now: NOW + 40,
    });
    expect(await run(NOW + 50)).toEqual([{ by: 'grace', from: NOW + 10, to: NOW + 20 }]);
    expect(await run(NOW + 60)).toEqual([]);
  });
});
