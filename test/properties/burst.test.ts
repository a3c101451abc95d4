/** Many comments at once become few runs, none waits too long, and each is answered. The clock is simulated. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { leaseConversation } from '../../src/mailbox/leases.ts';
import { settleDispatch } from '../../src/mailbox/settlement.ts';
import { routeNext } from '../../src/router.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../support/databases.ts';
import { conversationOn, messagesIn, say } from '../support/mailbox.ts';
import { patience } from '../support/patience.ts';
import { everybodyMayWrite } from '../support/trust.ts';
import { bodyOf, forgeHeaders } from './happenings.ts';
import { emptyTables } from './rows.ts';
import { holdsFor } from './seeded.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());

interface Burst {
  database: TestDatabase;
  /** milliseconds, rising */
  arrivals: number[];
  /** how long every run takes */
  runMs: number;
  arrive: (at: number, index: number) => Promise<void>;
}

interface Started {
  at: number;
  /** arrival of the first and of the last message it carried */
  first: number;
  last: number;
  /** when the run before it had ended */
  free: number;
}

/** Lets the comments come and one worker work, each at its time, until nothing is left. */
async function play({ database, arrivals, runMs, arrive }: Burst): Promise<Started[]> {
  const started: Started[] = [];
  let free = 0;
  let next = 0;
  for (;;) {
    const arrival = arrivals[next] ?? Number.POSITIVE_INFINITY;
    const lookAt = Math.max(free, await earliestDue(database));
    if (arrival === Number.POSITIVE_INFINITY && lookAt === Number.POSITIVE_INFINITY) return started;
    if (arrival <= lookAt) {
      await arrive(arrival, next++);
      continue;
    }
    const lease = (await leaseConversation(database, {
      worker: 'worker-1',
      now: lookAt,
      leaseMs: 60_000,
      agentLimits: new Map([['dev', 1]]),
    }))!;
    const times = lease.messages.map((m) => m.created_at);
    started.push({ at: lookAt, first: Math.min(...times), last: Math.max(...times), free });
    free = lookAt + runMs;
    // Those that come while it runs come before its end.
    while ((arrivals[next] ?? Number.POSITIVE_INFINITY) < free) await arrive(arrivals[next]!, next++);
    await settleDispatch(database, lease, { settlement: { state: 'succeeded' }, now: free });
  }
}

async function earliestDue({ rows }: TestDatabase): Promise<number> {
  const { due } = await rows
    .selectFrom('dispatches')
    .select((e) => e.fn.min('due_at').as('due'))
    .where('state', '=', 'queued')
    .executeTakeFirstOrThrow();
  return due === null ? Number.POSITIVE_INFINITY : Number(due);
}

function times(span: number, apart: number): number {
  return apart === 0 ? Number.POSITIVE_INFINITY : Math.floor(span / apart);
}

describeDatabases('a burst of comments', (open) => {
  test('a hundred in ten seconds are at most three runs, and all are answered', async () => {
    const database = await open();
    const config = folder.load();
    const dev = { ...config.agents.get('dev')!, quietSeconds: 5, maxWaitSeconds: 60 };
    const agents = new Map([...config.agents, ['dev', dev] as const]);
    const arrivals = Array.from({ length: 100 }, (_, index) => index * 100 + ((index * 37) % 90));
    const started = await play({
      database,
      arrivals,
      runMs: 2000,
      arrive: async (now, comment) => {
        const { eventType, body } = bodyOf({ kind: 'asked', item: 1, comment: 3 * comment, minute: comment });
        await acceptDelivery(database.rows, {
          forge: 'home',
          forgeDeliveryId: randomUUID(),
          source: 'webhook',
          headers: forgeHeaders(eventType, `delivery-${comment}`),
          body: Buffer.from(body),
          now,
        });
        await routeNext({
          database,
          config: () => ({ ...config, agents }),
          trust: everybodyMayWrite(),
          now: () => now,
          log: silentLog,
        });
      },
    });
    expect(started.length).toBeLessThanOrEqual(3);
    const messages = await messagesIn(database.rows);
    expect(messages.map((m) => m.state)).toEqual(Array(100).fill('answered'));
    expect(new Set(messages.map((m) => m.delivery_id)).size).toBe(100);
  });

  test('whatever the waits are: few runs, none too early, none too late', {
    timeout: patience(600_000),
  }, async () => {
    const database = await open();
    const seconds = (max: number) => fc.integer({ min: 0, max: max * 1000 });
    await holdsFor(
      fc.record({
        gaps: fc.array(seconds(4), { minLength: 1, maxLength: 25 }),
        quietMs: fc.oneof(seconds(10), fc.constant(0)),
        maxWaitMs: fc.oneof(seconds(60), fc.constant(0)),
        runMs: seconds(20),
      }),
      async ({ gaps, quietMs, maxWaitMs, runMs }) => {
        await emptyTables(database);
        const conversation = await conversationOn(database.rows);
        let at = 0;
        const arrivals = gaps.map((gap) => (at += gap));
        const started = await play({
          database,
          arrivals,
          runMs,
          arrive: async (now) => void (await say(database.rows, conversation, { now, quietMs, maxWaitMs })),
        });
        for (const { at: start, first, last, free } of started) {
          const due = Math.min(last + quietMs, first + maxWaitMs);
          expect(start, 'not before the quiet or the longest wait is over').toBeGreaterThanOrEqual(due);
          const latest = Math.max(first + maxWaitMs, free);
          expect(start, 'not after the longest wait, unless a run was in the way').toBeLessThanOrEqual(
            latest,
          );
        }
        const span = arrivals.at(-1)! - arrivals[0]!;
        const noPause = gaps.slice(1).every((gap) => gap < quietMs);
        // The last run was made by a message after the start of the one before it.
        const wait = noPause ? maxWaitMs : Math.min(quietMs, maxWaitMs);
        const most = Math.min(times(span, wait) + 1, times(span, runMs) + 2, arrivals.length);
        expect(started.length, 'no more runs than waits fit into the burst').toBeLessThanOrEqual(most);
        const states = (await messagesIn(database.rows)).map((m) => m.state);
        expect(states).toEqual(Array(arrivals.length).fill('answered'));
      },
      { usually: 10, shrinkMs: 30_000 },
    );
  });
});
