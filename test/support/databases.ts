/**
 * One suite, both databases. Every test opens its own, fresh and migrated; it is closed and removed when the test ends.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, inject, onTestFinished } from 'vitest';
import { type Database, migrate, type OpenOptions, openDatabase } from '../../src/database/database.ts';
import type { DialectName } from '../../src/database/dialect.ts';
import { asAdministrator, urlOf } from './administrator.ts';
import type { PostgresForTests } from './global-setup.ts';

export interface TestDatabase extends Database {
  readonly url: string;
  /**
   * Another connection to the same rows, closed with the test. On SQLite never while a transaction is open here: its
   * wait for the writer blocks the thread that would have to commit. Use another process there.
   */
  another(options?: Pick<OpenOptions, 'readOnly'>): Database;
}

export interface OpenTestOptions {
  /** false: without a single table */
  migrated?: boolean;
  /** the test changes the schema, so nobody may use this database after it */
  altersSchema?: boolean;
}

export type OpenTestDatabase = (options?: OpenTestOptions) => Promise<TestDatabase>;

/** Runs `suite` for each database as `<name> on SQLite` and `<name> on PostgreSQL`. */
export function describeDatabases(
  name: string,
  suite: (open: OpenTestDatabase, dialect: DialectName) => void,
): void {
  describe(`${name} on SQLite`, () => suite(openSqlite, 'sqlite'));
  const postgres = inject('postgres');
  if ('missing' in postgres) {
    describe.skip(`${name} on PostgreSQL (skipped: ${postgres.missing})`, () =>
      suite(openSqlite, 'postgres'));
  } else {
    describe(`${name} on PostgreSQL`, () => suite((options) => openPostgres(postgres, options), 'postgres'));
  }
}

export const openSqlite: OpenTestDatabase = async ({ migrated = true } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-rows-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const database = forTest(`sqlite:${join(folder, 'rows.db')}`);
  if (migrated) await migrate(database);
  return database;
};

/** Databases of this test file that no test uses now. Making one takes 250 ms, emptying one 10. */
const idle: string[] = [];

async function openPostgres(
  server: PostgresForTests,
  { migrated = true, altersSchema = false }: OpenTestOptions = {},
): Promise<TestDatabase> {
  const reusable = migrated && !altersSchema;
  const name = (reusable ? idle.pop() : undefined) ?? (await createDatabase(server, migrated));
  const url = urlOf(server.url, name);
  onTestFinished(async () => {
    if (reusable) {
      await asAdministrator(url, (client) => client.query(EMPTY));
      idle.push(name);
    } else {
      // FORCE: a test that leaves a connection behind fails for that reason, not for this one.
      await asAdministrator(server.url, (client) => client.query(`drop database ${name} with (force)`));
    }
  });
  return forTest(url);
}

async function createDatabase(server: PostgresForTests, migrated: boolean): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const origin = migrated ? server.template : 'template0';
  await asAdministrator(server.url, (client) => client.query(`create database ${name} template ${origin}`));
  return name;
}

/** Replica: without the foreign keys' triggers the order of the tables does not matter. */
const EMPTY = `
  select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';
  set session_replication_role = replica;
  do $$ declare t record; begin
    for t in select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely%' loop
      execute format('delete from %I', t.tablename);
    end loop;
  end $$;`;

/** Finishers run in reverse order: connections close before their database goes. */
function forTest(url: string): TestDatabase {
  const open = (options: Pick<OpenOptions, 'readOnly'> = {}): Database => {
    const database = openDatabase({ url, ...options });
    onTestFinished(() => database.close());
    return database;
  };
  return { ...open(), url, another: open };
}

/**
 * Resolves when as many transactions as asked for wait for a lock in this database. At once on SQLite, where a second
 * transaction cannot even begin.
 */
export async function untilWaiting(database: TestDatabase, transactions = 1): Promise<void> {
  if (database.dialect === 'sqlite') return;
  for (;;) {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(database.rows);
    if (rows[0]!.count >= transactions) return;
    await sleep(5);
  }
}
