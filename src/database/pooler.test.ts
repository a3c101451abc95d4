/** Behind a real pgbouncer, which lends one connection of the server to many clients. */
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { throughPgbouncer } from '../../test/support/pgbouncer.ts';
import { needs } from '../../test/support/requirements.ts';
import { checkDatabase } from '../checks/records.ts';
import { acceptDelivery } from '../inbox.ts';
import { type Database, migrate, openDatabase, pendingMigrations, serialise } from './database.ts';

const pooler = needs('pgbouncer');

function opened(url: string, options: { readOnly?: boolean } = {}): Database {
  const database = openDatabase({ url, ...options });
  onTestFinished(() => database.close());
  return database;
}

const accept = (database: Database, forgeDeliveryId: string) =>
  database.transaction(async (tx) => {
    await serialise(database.dialect, tx, 1);
    return await acceptDelivery(tx, {
      forge: 'home',
      forgeDeliveryId,
      source: 'webhook',
      headers: {},
      body: new Uint8Array(),
      now: 0,
    });
  });

describe.skipIf(!pooler.ok || 'missing' in inject('postgres'))(pooler.title('behind pgbouncer'), () => {
  describeDatabases('one connection for many', (open, dialect) => {
    if (dialect !== 'postgres') {
      test('SQLite has no pooler', () => expect(dialect).toBe('sqlite'));
      return;
    }

    test.each([
      ['transaction', []],
      ['session', []],
      ['transaction', ['ignore_startup_parameters = options']],
    ] as const)(
      'pool_mode %s %s: writers write, readers only read, and nobody waits for ever',
      async (mode, settings) => {
        const direct = await open({ migrated: false });
        const url = await throughPgbouncer(direct.url, {
          mode,
          settings: [...settings],
          size: mode === 'session' ? 20 : 1,
        });
        const writer = opened(url);
        const reader = opened(url, { readOnly: true });
        expect((await migrate(writer)).applied.length).toBeGreaterThan(0);
        await Promise.all(['a', 'b', 'c', 'd'].map((id) => accept(writer, id)));
        // Readers between writers, on the one connection of the server.
        const counts = await Promise.all(
          [1, 2, 3].map(() => reader.rows.selectFrom('deliveries').select('id').execute()),
        );
        expect(counts.map((rows) => rows.length)).toEqual([4, 4, 4]);
        await expect(accept(reader, 'e')).rejects.toThrow('read-only transaction');
        await expect(reader.rows.deleteFrom('deliveries').execute()).rejects.toThrow('read-only transaction');
        // After an error, and without a trace in the server's session.
        expect(await pendingMigrations(reader)).toEqual([]);
        await accept(writer, 'f');
        const { rows } = await sql<{ on: string }>`show transaction_read_only`.execute(writer.rows);
        expect(Object.values(rows[0]!)).toEqual(['off']);
        expect(await direct.rows.selectFrom('deliveries').select('id').execute()).toHaveLength(5);
      },
    );

    test('nothing is asked for that a pooler does not keep between transactions', async () => {
      const direct = await open({ migrated: false });
      const url = await throughPgbouncer(direct.url, { mode: 'transaction' });
      const asked = vi.spyOn(pg.Client.prototype, 'query');
      onTestFinished(() => asked.mockRestore());
      const writer = opened(url);
      await migrate(writer);
      await accept(writer, 'a');
      await opened(url, { readOnly: true }).rows.selectFrom('deliveries').select('id').execute();
      const texts = asked.mock.calls.map(([query]) => query as unknown);
      expect(texts.length).toBeGreaterThan(10);
      const ofASession =
        /\bpg_(try_)?advisory_(un)?lock|^\s*(set|listen|prepare|declare)\b|\btemp(orary)? table/i;
      expect(texts.filter((text) => typeof text !== 'string' || ofASession.test(text))).toEqual([]);
    });

    test('a server that ends a connection in use fails that use, and not the process', async () => {
      const database = await open();
      const other = database.another();
      const told = vi.spyOn(pg.Client.prototype, 'emit');
      onTestFinished(() => told.mockRestore());
      const lost = database.transaction(async (tx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
        await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(other.rows);
        await vi.waitFor(() => expect(told.mock.calls.some(([name]) => name === 'error')).toBe(true), 10_000);
        await sql`select 1`.execute(tx);
      });
      await expect(lost).rejects.toThrow();
      // Node throws where nobody listens.
      const ways = told.mock.results.filter((_, i) => told.mock.calls[i]![0] === 'error');
      expect(ways.map(({ type }) => type)).toEqual(ways.map(() => 'return'));
      expect((await accept(database, 'after')).kind).toBe('accepted');
    });

    test('pool_mode statement is refused with the mode that is needed', async () => {
      const direct = await open();
      const url = await throughPgbouncer(direct.url, { mode: 'statement' });
      const refusal = /refuses us: .*statement pooling.*Set pool_mode = transaction \(or session\)/;
      await expect(migrate(opened(url))).rejects.toThrow(refusal);
      await expect(accept(opened(url), 'a')).rejects.toThrow(refusal);
      await expect(pendingMigrations(opened(url, { readOnly: true }))).rejects.toThrow(refusal);
      const told = await pendingMigrations(opened(url, { readOnly: true })).catch((error: Error) => error);
      expect(await checkDatabase(null, told as Error)).toMatchObject([
        { check: 'database-unreachable', remedy: expect.stringMatching(/^Set pool_mode = transaction/) },
      ]);
    });

    test('a parameter in the address that the pooler does not take is named', async () => {
      const direct = await open();
      const url = await throughPgbouncer(direct.url, { mode: 'transaction' });
      const own = opened(`${url}?options=${encodeURIComponent('-c search_path=ours')}`);
      await expect(accept(own, 'a')).rejects.toThrow(/unsupported startup parameter.*database\.url/);
    });
  });
});
