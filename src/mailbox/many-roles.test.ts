/**
 * 1,000 conversations of five roles at the rows, in time that is made up: nobody starves, the order within a conversation
 * is kept, and a limit in the middle parks what runs and is drained after it.
 */
import { expect, test } from 'vitest';
import { openSqlite } from '../../test/support/databases.ts';
import { conversationOn, LEASE_MS, messagesIn, NOW, say } from '../../test/support/mailbox.ts';
import { EVERYTHING, placeHold } from './holds.ts';
import { type Lease, leaseConversation } from './leases.ts';
import { settleDispatch } from './settlement.ts';

const ITEMS = 200;
const MINUTE = 60_000;
/** Room of each role over all workers. */
const LIMITS = new Map([
  ['boss', 1],
  ['dev', 3],
  ['reviewer', 2],
  ['designer', 1],
  ['design-reviewer', 1],
]);

function drawnFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('five roles share the rows fairly, and a limit in the middle is drained', async () => {
  const database = await openSqlite();
  const draw = drawnFrom(14);
  await database.transaction(async (tx) => {
    for (let number = 1; number <= ITEMS; number++) {
      for (const agent of LIMITS.keys()) {
        const conversation = await conversationOn(tx, { number, agent });
        const at = NOW + Math.floor(draw() * 1000);
        await say(tx, conversation, { now: at });
      }
    }
  });
  let now = NOW + 1000;
  const running = new Map<string, { lease: Lease; endsAt: number }>();
  const due = new Map<string, number[]>([...LIMITS.keys()].map((agent) => [agent, []]));
  const told = new Map<string, number>();
  let ended = 0;
  let limit: { from: number; until: number } | null = null;

  const take = async (): Promise<void> => {
    for (;;) {
      const request = { worker: 'w', now, leaseMs: 24 * 60 * LEASE_MS, agentLimits: LIMITS };
      const lease = await leaseConversation(database, request);
      if (lease === null) return;
      if (limit !== null)
        expect(now, 'nothing runs while the limit lasts').toBeGreaterThanOrEqual(limit.until);
      const { conversation, dispatch, messages } = lease;
      expect(running.has(conversation.id), 'one run of a conversation at a time').toBe(false);
      for (const { seq } of messages) {
        expect(seq, 'messages of a conversation in order').toBeGreaterThanOrEqual(
          told.get(conversation.id) ?? 0,
        );
        told.set(conversation.id, seq);
      }
      if (dispatch.attempt <= 1) due.get(conversation.agent)!.push(Number(dispatch.due_at));
      running.set(conversation.id, { lease, endsAt: now + (1 + Math.floor(draw() * 5)) * MINUTE });
    }
  };
  const end = async (id: string): Promise<void> => {
    const { lease } = running.get(id)!;
    running.delete(id);
    await settleDispatch(database, lease, { settlement: { state: 'succeeded' }, now });
    ended += 1;
    // Every third conversation goes on once.
    if (ended % 3 === 0 && ended < 900) await say(database.rows, lease.conversation, { now });
  };

  await take();
  while (running.size > 0) {
    expect([...count(running)].every(([agent, n]) => n <= LIMITS.get(agent)!)).toBe(true);
    if (ended >= 500 && limit === null) {
      limit = { from: now, until: now + 60 * MINUTE };
      const by = { kind: 'limit' } as const;
      await placeHold(database.rows, {
        scope: EVERYTHING,
        reason: 'a usage limit',
        until: limit.until,
        by,
        now,
      });
      for (const { lease } of running.values()) {
        const settlement = { state: 'parked', reason: 'a usage limit', until: limit.until } as const;
        await settleDispatch(database, lease, { settlement, now });
      }
      running.clear();
      await take();
      expect(running.size).toBe(0);
      now = limit.until;
      await take();
      // What the limit has cut goes first.
      expect([...running.values()].every(({ lease }) => lease.dispatch.attempt > 1)).toBe(true);
      continue;
    }
    now = Math.min(...[...running.values()].map(({ endsAt }) => endsAt));
    for (const [id, { endsAt }] of [...running]) if (endsAt <= now) await end(id);
    await take();
  }

  expect(limit).not.toBeNull();
  const states = new Set((await messagesIn(database.rows)).map(({ state }) => state));
  expect([...states]).toEqual(['answered']);
  expect(ended).toBeGreaterThan(1200);
  // Within a role whoever waited longest is next: nobody is overtaken for ever.
  for (const [agent, times] of due) {
    expect(times.length, agent).toBeGreaterThanOrEqual(ITEMS);
    expect(times, agent).toEqual([...times].sort((a, b) => a - b));
  }
});

function count(running: ReadonlyMap<string, { lease: Lease }>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { lease } of running.values()) {
    const { agent } = lease.conversation;
    counts.set(agent, (counts.get(agent) ?? 0) + 1);
  }
  return counts;
}
