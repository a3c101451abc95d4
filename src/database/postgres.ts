/**
 * PostgreSQL, also behind a pooler such as pgbouncer that lends a connection for one transaction only. So nothing may
 * outlive a transaction: no start-up parameter, no `set`, no lock of a session, no named statement.
 */
import { PostgresAdapter, PostgresDialect, PostgresDriver, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';

// int8 arrives as text by default; every bigint of ours is a time or a size below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export function postgresDialect({ url, readOnly }: { url: string; readOnly: boolean }): PostgresDialect {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  // An idle connection that the server closed is replaced at the next query. Without a listener the event would end
  // the process.
  pool.on('error', () => {});
  // A connection in use fails its query with the same error. Without a listener on it the event would end the process,
  // too.
  // guard: a connection that is lost in use is heard
  pool.on('connect', (client) => client.on('error', () => {}));
  return new OurPostgresDialect(pool, readOnly);
}

/** The pooler between us and the server does not let us work; the message says what to set there. */
export class PoolerRefuses extends Error {
  override name = 'PoolerRefuses';
  readonly remedy: string;
  constructor(said: string, remedy: string, cause: unknown) {
    super(`The connection pooler in front of PostgreSQL refuses us: ${said}. ${remedy}`, { cause });
    this.remedy = remedy;
  }
}

class OurPostgresDialect extends PostgresDialect {
  readonly #pool: pg.Pool;
  readonly #readOnly: boolean;

  constructor(pool: pg.Pool, readOnly: boolean) {
    super({ pool });
    this.#pool = pool;
    this.#readOnly = readOnly;
  }

  override createDriver() {
    return this.#readOnly ? new ReadingDriver({ pool: this.#pool }) : new WritingDriver({ pool: this.#pool });
  }

  override createAdapter() {
    return new OurPostgresAdapter();
  }

  /**
   * PostgreSQL refuses text with a NUL in it; SQLite keeps it. A model's answer or a title may contain one, and a
   * replacement character is better than losing the answer.
   */
  override createQueryCompiler() {
    return new TextSafeQueryCompiler();
  }
}

/** Kysely's lock is not used: `migrate` holds a lock of its own, in the transaction of the migrations. */
class OurPostgresAdapter extends PostgresAdapter {
  // guard: migrations lock in their transaction
  override async acquireMigrationLock() {}
  override async releaseMigrationLock() {}
}

class TextSafeQueryCompiler extends PostgresQueryCompiler {
  protected override appendValue(value: unknown): void {
    super.appendValue(typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value);
  }
}

type Connection = Parameters<PostgresDriver['beginTransaction']>[0];
/** The driver's type of the connections it hands out has fewer members than the type it takes back. */
type OwnConnection = Parameters<PostgresDriver['releaseConnection']>[0];
type Settings = Parameters<PostgresDriver['beginTransaction']>[1];

class WritingDriver extends PostgresDriver {
  override async acquireConnection() {
    return await inOurWords(() => super.acquireConnection());
  }

  override async beginTransaction(connection: Connection, settings: Settings) {
    await inOurWords(() => super.beginTransaction(connection, settings));
  }
}

/**
 * Every use of a connection is one read-only transaction. A setting of the session would be refused when the connection
 * starts, be ignored, or apply to another server's process at the next statement.
 */
class ReadingDriver extends WritingDriver {
  override async acquireConnection() {
    const connection = (await super.acquireConnection()) as OwnConnection;
    try {
      // guard: reading is a read-only transaction
      await super.beginTransaction(connection, { accessMode: 'read only' });
      return connection;
    } catch (error) {
      await super.releaseConnection(connection);
      throw error;
    }
  }

  override async releaseConnection(connection: OwnConnection) {
    try {
      // Roll back: nothing was written, and a statement may have failed, so there is nothing to commit.
      await super.rollbackTransaction(connection);
    } finally {
      await super.releaseConnection(connection);
    }
  }

  /** The transaction has already begun, and ends when the connection is released. */
  override async beginTransaction() {}
  override async commitTransaction() {}
  override async rollbackTransaction() {}
}

async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const remedy = POOLER_REMEDIES.find(([words]) => words.test(said))?.[1];
    // guard: the pool mode that is needed is named
    if (remedy === undefined) throw error;
    throw new PoolerRefuses(said, remedy, error);
  }
}

/** pgbouncer has one code, 08P01, for all its refusals. */
const POOLER_REMEDIES: readonly [words: RegExp, remedy: string][] = [
  [
    /not allowed in statement pooling mode/,
    'Set pool_mode = transaction (or session) for this database in pgbouncer.ini: the service needs transactions.',
  ],
  [
    /unsupported startup parameter/,
    'Take the parameter out of database.url; the service itself sends none. Or name it in ignore_startup_parameters in pgbouncer.ini.',
  ],
];
