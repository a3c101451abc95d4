import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeDatabases, openSqlite } from '../../test/support/databases.ts';
import type { Database } from '../database/database.ts';
import { findDelivery, type NewDelivery } from '../inbox.ts';
import { acceptTogether } from './group-commit.ts';

function delivery(forgeDeliveryId: string, partial: Partial<NewDelivery> = {}): NewDelivery {
  return {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: {},
    body: Buffer.from(forgeDeliveryId),
    now: 1_000_000,
    ...partial,
  };
}

const ids = (count: number) => Array.from({ length: count }, () => randomUUID());

describeDatabases('deliveries that arrive at once', (open) => {
  test('are all stored, each under its own id and with its own bytes', async () => {
    const database = await open();
    const sent = ids(50);
    const accepted = await Promise.all(sent.map((id) => acceptTogether(database, delivery(id))));
    expect(accepted.every((a) => a.kind === 'accepted')).toBe(true);
    expect(new Set(accepted.map((a) => a.id)).size).toBe(50);
    const row = await findDelivery(database.rows, accepted[17]!.id);
    expect(Buffer.from(row!.body).toString()).toBe(sent[17]);
  });

  test('and are one delivery sent twice: one is accepted, the other one names it', async () => {
    const database = await open();
    const [first, again] = await Promise.all([
      acceptTogether(database, delivery('d1')),
      acceptTogether(database, delivery('d1')),
    ]);
    expect(new Set([first.kind, again.kind])).toEqual(new Set(['accepted', 'repeated']));
    expect(again.id).toBe(first.id);
  });

  test('one that cannot be stored is refused alone', async () => {
    const database = await open();
    const bad = delivery('bad', { forge: null as unknown as string });
    const sent = [delivery('d1'), bad, delivery('d2')];
    const outcomes = await Promise.allSettled(sent.map((d) => acceptTogether(database, d)));
    expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const stored = await database.rows.selectFrom('deliveries').select('forge_delivery_id').execute();
    expect(stored.map((s) => s.forge_delivery_id).sort()).toEqual(['d1', 'd2']);
  });
});

/** The database, with every transaction counted. */
function counting(database: Database, count: () => void): Database {
  return {
    ...database,
    transaction: (work) => {
      count();
      return database.transaction(work);
    },
  };
}

test('on SQLite share one commit, also with those that arrive while the database is held', async () => {
  const opened = await openSqlite();
  let commits = 0;
  const database = counting(opened, () => commits++);
  let release: () => void = () => {};
  const held = opened.transaction(async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const early = ids(10).map((id) => acceptTogether(database, delivery(id)));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const late = ids(10).map((id) => acceptTogether(database, delivery(id)));
  release();
  await held;
  await Promise.all([...early, ...late]);
  expect(commits).toBe(1);
  const { rows } = opened;
  expect(await rows.selectFrom('deliveries').select('id').execute()).toHaveLength(20);
});

/** As many pages as there are, so that nothing more fits: for SQLite the same as a full disk. */
async function fill(database: Database): Promise<void> {
  await sql`pragma max_page_count = 1`.execute(database.rows);
}

test('a full disk refuses each of them as what it is, and the next ones are stored', async () => {
  const database = await openSqlite();
  await fill(database);
  const large = (id: string) => delivery(id, { body: Buffer.alloc(100_000) });
  const outcomes = await Promise.allSettled(ids(3).map((id) => acceptTogether(database, large(id))));
  const SQLITE_FULL = 13;
  expect(outcomes).toMatchObject(
    Array.from({ length: 3 }, () => ({ status: 'rejected', reason: { errcode: SQLITE_FULL } })),
  );
  await sql`pragma max_page_count = 100000`.execute(database.rows);
  expect(await acceptTogether(database, large('d1'))).toMatchObject({ kind: 'accepted' });
});
