/**
 * The one way to the rows. Opens SQLite or PostgreSQL by URL, migrates, and hides what differs between them.
 *
 * URLs: `sqlite:<path>` or `postgres://…` / `postgresql://…`.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql, type Transaction } from 'kysely';
import { type MigrationResultSet, Migrator } from 'kysely/migration';
import { NotFound } from '../errors.ts';
import type { DialectName } from './dialect.ts';
import { migrations } from './migrations.ts';
import { nodeSqliteDialect } from './node-sqlite.ts';
import { PoolerRefuses, postgresDialect } from './postgres.ts';
import { keepPrivate } from './private-file.ts';
import type { Tables } from './tables.ts';

/** A connection or an open transaction: every room function takes one, so that callers decide what is atomic. */
export type Rows = Kysely<Tables> | Transaction<Tables>;

export interface Database {
  readonly dialect: DialectName;
  readonly rows: Kysely<Tables>;
  /**
   * Runs `work` in one transaction, and again when PostgreSQL reports a serialisation failure or a deadlock.
   */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface OpenOptions {
  url: string;
  /** for commands that only read, beside a running service */
  readOnly?: boolean;
  /** called with a sentence for each SQLite file that other users of this machine could read until now */
  tightened?: (said: string) => void;
}

export function openDatabase(options: OpenOptions): Database {
  const dialect: DialectName = options.url.startsWith('sqlite:') ? 'sqlite' : 'postgres';
  const rows = new Kysely<Tables>({
    dialect:
      dialect === 'sqlite'
        ? sqliteDialect(options)
        : postgresDialect({ url: options.url, readOnly: options.readOnly ?? false }),
  });
  return {
    dialect,
    rows,
    transaction: (work) => retryConflicts(() => rows.transaction().execute(work)),
    close: () => rows.destroy(),
  };
}

function sqliteDialect(options: OpenOptions) {
  const file = options.url.slice('sqlite:'.length);
  if (options.readOnly !== true) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // guard: files: the database
    for (const said of keepPrivate(file)) options.tightened?.(said);
  }
  return nodeSqliteDialect({ file, readOnly: options.readOnly ?? false });
}

/** 40001 serialization_failure, 40P01 deadlock_detected: PostgreSQL has rolled back and wants a retry. */
const CONFLICT_CODES = new Set(['40001', '40P01']);
const CONFLICT_ATTEMPTS = 5;

async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (attempt >= CONFLICT_ATTEMPTS || code === undefined || !CONFLICT_CODES.has(code)) throw error;
    }
  }
}

export interface MigrationReport {
  applied: string[];
  /** name of the newest migration in the database */
  version: string;
}

/** Brings the schema to this release. A database newer than this release is refused. */
export async function migrate(database: Database): Promise<MigrationReport> {
  const { error, results } = await (database.dialect === 'postgres' ? inOneTransaction : toLatest)(database);
  if (error instanceof PoolerRefuses) throw error;
  if (error !== undefined) {
    throw new Error(
      `The database could not be migrated: ${error instanceof Error ? error.message : String(error)}. ` +
        'Nothing was changed by the failed step; restore a backup if it is newer than this release, or report the message.',
    );
  }
  const applied = (results ?? []).filter((r) => r.status === 'Success').map((r) => r.migrationName);
  const all = Object.keys(migrations(database.dialect)).sort();
  return { applied, version: all.at(-1)! };
}

function toLatest({ rows, dialect }: { rows: Rows; dialect: DialectName }): Promise<MigrationResultSet> {
  return new Migrator({
    db: rows,
    provider: { getMigrations: async () => migrations(dialect) },
  }).migrateToLatest();
}

/**
 * Kysely's own lock belongs to a session. A pooler may give that session to others, and the lock would never be
 * released.
 */
async function inOneTransaction({ rows, dialect }: Database): Promise<MigrationResultSet> {
  try {
    return await rows.transaction().execute(async (tx) => {
      await serialise(dialect, tx, MIGRATION_LOCK);
      const result = await toLatest({ rows: tx, dialect });
      if (result.error !== undefined) throw result.error;
      return result;
    });
  } catch (error) {
    return { error };
  }
}

/** Names of migrations this release has and the database lacks. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const migrator = new Migrator({
    db: database.rows,
    provider: { getMigrations: async () => migrations(database.dialect) },
  });
  return (await migrator.getMigrations()).filter((m) => m.executedAt === undefined).map((m) => m.name);
}

/** For commands that write beside a running service, or without one. Throws NotFound with the remedy. */
export async function requireMigrated(database: Database): Promise<void> {
  if ((await pendingMigrations(database)).length === 0) return;
  throw new NotFound(
    'The database has not the tables of this release yet. Start the service once, or run `claude-hooks migrate`.',
  );
}

/**
 * Serialises one kind of transaction over all workers on PostgreSQL. SQLite needs nothing: `begin immediate` already
 * admits one writer at a time.
 */
export async function serialise(database: DialectName, tx: Rows, lock: number): Promise<void> {
  if (database === 'postgres') await sql`select pg_advisory_xact_lock(${LOCK_SPACE}, ${lock})`.execute(tx);
}
/** 'CH' in ASCII: keeps our advisory locks apart from those of other programs in the same database. */
const LOCK_SPACE = 0x4348;
/** The number of this lock must differ from those that the rooms use. */
const MIGRATION_LOCK = 0;
