import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { migrate, pendingMigrations, type Rows } from './database.ts';
import { migrations } from './migrations.ts';

const ALL = Object.keys(migrations('sqlite'));

function delivery(forgeDeliveryId: string, body: Uint8Array = new Uint8Array()) {
  return {
    id: `id-${forgeDeliveryId}`,
    forge: 'home',
    forge_delivery_id: forgeDeliveryId,
    source: 'webhook' as const,
    headers: '{}',
    body,
    received_at: 1,
    state: 'received' as const,
    attempts: 0,
    next_attempt_at: 1,
  };
}

async function insert(rows: Rows, id: string): Promise<void> {
  await rows.insertInto('deliveries').values(delivery(id)).execute();
}

async function storedIds(rows: Rows): Promise<string[]> {
  const stored = await rows.selectFrom('deliveries').select('forge_delivery_id').orderBy('seq').execute();
  return stored.map((d) => d.forge_delivery_id);
}

async function tableNames(database: TestDatabase): Promise<string[]> {
  const tables = await database.rows.introspection.getTables();
  return tables.map((t) => t.name).filter((name) => !name.startsWith('sqlite_'));
}

describeDatabases('migrations', (open) => {
  test('are applied once', async () => {
    const database = await open({ migrated: false });
    expect(await migrate(database)).toEqual({ applied: ALL, version: ALL.at(-1) });
    expect(await migrate(database)).toEqual({ applied: [], version: ALL.at(-1) });
  });

  test('are named while they are pending, without touching the database', async () => {
    const database = await open({ migrated: false });
    expect(await pendingMigrations(database)).toEqual(ALL);
    expect(await tableNames(database)).toEqual([]);
    await migrate(database);
    expect(await pendingMigrations(database)).toEqual([]);
  });

  test('leave nothing behind when they fail half-way, and can be repeated', async () => {
    const database = await open({ migrated: false });
    await sql`create table turns (x integer)`.execute(database.rows);
    await expect(migrate(database)).rejects.toThrow(/could not be migrated.*turns.*restore a backup/s);
    expect(await tableNames(database)).toEqual(['turns']);
    await sql`drop table turns`.execute(database.rows);
    expect((await migrate(database)).applied).toEqual(ALL);
  });

  test('refuse a database of a newer release', async () => {
    const database = await open({ altersSchema: true });
    await sql`insert into kysely_migration values ('9999-from-the-future', '2030-01-01')`.execute(
      database.rows,
    );
    await expect(migrate(database)).rejects.toThrow('9999-from-the-future');
  });
});

describeDatabases('rows', (open) => {
  test('come back as they went in: bytes, nulls, long numbers and any text', async () => {
    const { rows } = await open();
    const body = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    const longNumber = Number.MAX_SAFE_INTEGER;
    const headers = JSON.stringify({ title: "ünïcode 🦑 'quoted' \0 %_\\" });
    await rows
      .insertInto('deliveries')
      .values({ ...delivery('a', body), received_at: longNumber, headers, reason: null })
      .execute();
    const row = await rows.selectFrom('deliveries').selectAll().executeTakeFirstOrThrow();
    expect(Buffer.from(row.body)).toEqual(Buffer.from(body));
    expect(row.received_at).toBe(longNumber);
    expect(row).toMatchObject({ headers, reason: null, decided_at: null, attempts: 0 });
  });

  test('hold an empty body', async () => {
    const { rows } = await open();
    await insert(rows, 'empty');
    const row = await rows.selectFrom('deliveries').select('body').executeTakeFirstOrThrow();
    expect(row.body).toHaveLength(0);
  });

  test('hold text with a NUL in it', async () => {
    const { rows } = await open();
    await rows
      .insertInto('deliveries')
      .values({ ...delivery('nul'), reason: 'before\0after' })
      .execute();
    const row = await rows.selectFrom('deliveries').select('reason').executeTakeFirstOrThrow();
    expect(row.reason).toMatch(/^before.after$/s);
  });

  test('are answered by a statement with RETURNING', async () => {
    const { rows } = await open();
    await insert(rows, 'a');
    const changed = await rows
      .updateTable('deliveries')
      .set((e) => ({ attempts: e('attempts', '+', 1) }))
      .where('forge', '=', 'home')
      .returning(['forge_delivery_id', 'attempts'])
      .execute();
    expect(changed).toEqual([{ forge_delivery_id: 'a', attempts: 1 }]);
    expect(await rows.selectFrom('deliveries').select('attempts').execute()).toEqual([{ attempts: 1 }]);
  });

  test('are counted by a statement without', async () => {
    const { rows } = await open();
    await insert(rows, 'a');
    await insert(rows, 'b');
    const update = rows.updateTable('deliveries').set({ attempts: 7 });
    expect((await update.executeTakeFirstOrThrow()).numUpdatedRows).toBe(2n);
    const none = await update.where('forge', '=', 'elsewhere').executeTakeFirstOrThrow();
    expect(none.numUpdatedRows).toBe(0n);
  });

  test('must belong to something that exists', async () => {
    const { rows } = await open();
    const orphan = {
      forge: 'home',
      repository_id: '3',
      number: 1,
      kind: 'issue' as const,
      agent: 'dev',
      conversation_id: 'nowhere',
    };
    await expect(rows.insertInto('conversation_items').values(orphan).execute()).rejects.toThrow(
      /foreign key/i,
    );
  });
});

describeDatabases('transactions', (open, dialect) => {
  test('leave nothing behind when they fail, and the connection is good for the next', async () => {
    const database = await open();
    const failing = database.transaction(async (tx) => {
      await insert(tx, 'lost');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    const refused = database.transaction(async (tx) => {
      await insert(tx, 'same');
      await insert(tx, 'same');
    });
    await expect(refused).rejects.toThrow(/unique/i);
    await database.transaction((tx) => insert(tx, 'kept'));
    expect(await storedIds(database.rows)).toEqual(['kept']);
  });

  test('that run at once each count', async () => {
    const database = await open();
    await insert(database.rows, 'a');
    await Promise.all(
      Array.from({ length: 20 }, () =>
        database.transaction(async (tx) => {
          await tx
            .updateTable('deliveries')
            .set((e) => ({ attempts: e('attempts', '+', 1) }))
            .execute();
          await tx.selectFrom('deliveries').selectAll().execute();
        }),
      ),
    );
    expect(await database.rows.selectFrom('deliveries').select('attempts').execute()).toEqual([
      { attempts: 20 },
    ]);
  });

  test('are not seen before they end', async () => {
    const database = await open();
    const reader = database.another({ readOnly: true });
    await database.transaction(async (tx) => {
      await insert(tx, 'a');
      expect(await storedIds(reader.rows)).toEqual([]);
    });
    expect(await storedIds(reader.rows)).toEqual(['a']);
  });

  test('end before the database closes', async () => {
    const database = await open();
    let closed: Promise<void> | undefined;
    await database.transaction(async (tx) => {
      await insert(tx, 'a');
      closed = database.close();
      await insert(tx, 'b');
    });
    await closed;
    expect(await storedIds(database.another().rows)).toEqual(['a', 'b']);
  });

  if (dialect === 'postgres') {
    test('that lock each other out are repeated until both are done', async () => {
      const database = await open();
      await insert(database.rows, 'a');
      await insert(database.rows, 'b');
      let attempts = 0;
      const both = Promise.withResolvers<void>();
      let holding = 0;
      const touch = (tx: Rows, id: string) =>
        tx.updateTable('deliveries').set({ reason: 'x' }).where('forge_delivery_id', '=', id).execute();
      const crosswise = (first: string, second: string) =>
        database.transaction(async (tx) => {
          attempts++;
          await touch(tx, first);
          if (++holding === 2) both.resolve();
          await both.promise;
          await touch(tx, second);
        });
      await Promise.all([crosswise('a', 'b'), crosswise('b', 'a')]);
      // On a busy machine PostgreSQL may end both, or one of them twice.
      expect(attempts).toBeGreaterThan(2);
    });
  }
});

describeDatabases('a read-only connection', (open) => {
  test('reads beside a writer and is refused a write', async () => {
    const database = await open();
    await insert(database.rows, 'a');
    const reader = database.another({ readOnly: true });
    expect(await storedIds(reader.rows)).toEqual(['a']);
    await insert(database.rows, 'b');
    expect(await storedIds(reader.rows)).toEqual(['a', 'b']);
    await expect(insert(reader.rows, 'c')).rejects.toThrow(/read.?only/i);
    expect(await pendingMigrations(reader)).toEqual([]);
  });

  test('reads when no service runs', async () => {
    const database = await open();
    await insert(database.rows, 'a');
    await database.close();
    expect(await storedIds(database.another({ readOnly: true }).rows)).toEqual(['a']);
  });
});
