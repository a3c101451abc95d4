/**
 * Deliveries that arrive at once share one commit on SQLite. It has one writer and every commit is a sync to the disk,
 * which takes longer than all else the edge does (59 % of its time by the profile): one by one, a burst of webhooks
 * waits for as many syncs as there are webhooks. PostgreSQL groups the commits of its connections by itself.
 */
import type { Database } from '../database/database.ts';
import { type Acceptance, acceptDelivery, type NewDelivery } from '../inbox.ts';

interface Waiting {
  delivery: NewDelivery;
  resolve(acceptance: Acceptance): void;
  reject(error: unknown): void;
}

/** by database: several may be open in one process */
const waiting = new WeakMap<Database, Waiting[]>();

/** As `acceptDelivery` in a transaction of its own: resolves when the delivery is on the disk. */
export async function acceptTogether(database: Database, delivery: NewDelivery): Promise<Acceptance> {
  if (database.dialect !== 'sqlite') return await acceptOne(database, delivery);
  return await new Promise((resolve, reject) => {
    const batch = waiting.get(database);
    if (batch !== undefined) {
      batch.push({ delivery, resolve, reject });
      return;
    }
    waiting.set(database, [{ delivery, resolve, reject }]);
    // After every request that can be read now has been read; a lone one waits for nothing.
    setImmediate(() => void commitWaiting(database));
  });
}

async function commitWaiting(database: Database): Promise<void> {
  let batch: Waiting[] | null = null;
  try {
    const acceptances = await database.transaction(async (tx) => {
      // Not before the transaction has begun: whatever arrived while another one held the database comes along.
      batch = takeWaiting(database);
      const accepted: Acceptance[] = [];
      for (const { delivery } of batch) accepted.push(await acceptDelivery(tx, delivery));
      return accepted;
    });
    for (const [n, { resolve }] of batch!.entries()) resolve(acceptances[n]!);
  } catch (error) {
    await acceptAlone(database, batch ?? takeWaiting(database), error);
  }
}

function takeWaiting(database: Database): Waiting[] {
  const batch = waiting.get(database) ?? [];
  waiting.delete(database);
  return batch;
}

/** An event and its delivery are two rows, of which neither may be there without the other. */
async function acceptOne(database: Database, delivery: NewDelivery): Promise<Acceptance> {
  return (delivery.event ?? null) === null
    ? await acceptDelivery(database.rows, delivery)
    : await database.transaction((tx) => acceptDelivery(tx, delivery));
}

/** One delivery that cannot be stored is no reason to refuse the others: the forge never sends them again. */
async function acceptAlone(database: Database, batch: Waiting[], error: unknown): Promise<void> {
  if (batch.length === 1) return batch[0]!.reject(error);
  for (const { delivery, resolve, reject } of batch) {
    try {
      resolve(await acceptOne(database, delivery));
    } catch (own) {
      reject(own);
    }
  }
}
