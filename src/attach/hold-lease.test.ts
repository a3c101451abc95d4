import { once } from 'node:events';
import { expect, test } from 'vitest';
import { openSqlite } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import type { Database } from '../database/database.ts';
import { leaseForAttach } from '../mailbox/attaching.ts';
import { cancelWork } from '../mailbox/cancelling.ts';
import type { Lease } from '../mailbox/leases.ts';
import { holdLease } from './hold-lease.ts';

const SHORT_MS = 30;
const never = new AbortController().signal;

async function attached(database: Database): Promise<Lease> {
  const { id: conversationId } = await conversationOn(database.rows);
  const request = { conversationId, worker: 'attach:1', by: 'grace', now: NOW, leaseMs: SHORT_MS };
  const answer = await leaseForAttach(database, request);
  if (answer.kind !== 'leased') throw new Error(answer.kind);
  return answer.lease;
}

const until = async (database: Database) =>
  Number(
    (await database.rows.selectFrom('conversations').select('lease_until').executeTakeFirstOrThrow())
      .lease_until,
  );

test('the lease is renewed while somebody is attached; when another has it, the terminal ends and says so', async () => {
  const database = await openSqlite();
  const lease = await attached(database);
  let now = NOW;
  const held = holdLease(lease, { database, now: () => now }, { leaseMs: SHORT_MS, signal: never });
  now += 1000;
  await expect.poll(() => until(database)).toBe(now + SHORT_MS);
  await database.rows
    .updateTable('conversations')
    .set({ lease_token: lease.token + 1 })
    .execute();
  if (!held.signal.aborted) await once(held.signal, 'abort');
  expect(held.sentences()).toEqual([expect.stringMatching(/^The lease was lost: /)]);
  held.stop();
});

test('who cancels it is named, and a command that is stopped ends it', async () => {
  const database = await openSqlite();
  const lease = await attached(database);
  const deps = { database, now: () => NOW };
  const held = holdLease(lease, deps, { leaseMs: 60_000, signal: never });
  await cancelWork(database.rows, { conversation: lease.conversation, by: 'ada', now: NOW });
  await once(held.signal, 'abort');
  expect(held.sentences()).toEqual(['You were detached: ada cancelled it.']);
  held.stop();
  const stopped = holdLease(lease, deps, { leaseMs: 60_000, signal: AbortSignal.abort() });
  expect(stopped.signal.aborted).toBe(true);
  expect(stopped.sentences()).toEqual([]);
  stopped.stop();
});
