/**
 * Kysely over Node's own SQLite. One connection per process: SQLite has one writer anyway, and a synchronous call is
 * shorter than the hop to another thread.
 *
 * Transactions begin IMMEDIATE. A deferred one that reads first and writes later can fail with SQLITE_BUSY when
 * another process (a command beside the service) wrote in between, and no busy timeout helps there.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { Mutex } from '../mutex.ts';

const STATEMENT_CACHE_SIZE = 200;
const BUSY_TIMEOUT_MS = 5000;

export interface NodeSqliteOptions {
  file: string;
  readOnly?: boolean;
}

export function nodeSqliteDialect(options: NodeSqliteOptions): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(options),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new NodeSqliteAdapter(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  };
}

/**
 * Kysely assumes that SQLite cannot roll back DDL, but it can. Without this, a migration that dies half-way leaves half
 * a schema that no later start can repair, and two processes that start at once both migrate.
 */
class NodeSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDriver implements Driver {
  readonly #options: NodeSqliteOptions;
  #connection: NodeSqliteConnection | null = null;
  readonly #users = new Mutex();
  #release: (() => void) | null = null;

  constructor(options: NodeSqliteOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    const db = new DatabaseSync(this.#options.file, { readOnly: this.#options.readOnly ?? false });
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    db.exec('PRAGMA foreign_keys = ON');
    if (this.#options.readOnly !== true) {
      db.exec('PRAGMA journal_mode = WAL');
      // FULL: a commit is on the disk before it is acknowledged. NORMAL would lose the last commits in a power cut.
      db.exec('PRAGMA synchronous = FULL');
    }
    this.#connection = new NodeSqliteConnection(db);
  }

  /** Only one user at a time, in the order of asking: a transaction keeps the connection until it ends. */
  async acquireConnection(): Promise<DatabaseConnection> {
    await new Promise<void>((acquired) => {
      const use = () =>
        new Promise<void>((release) => {
          this.#release = release;
          acquired();
        });
      void this.#users.hold(use);
    });
    return this.#connection!;
  }

  async releaseConnection(): Promise<void> {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk makes SQLite roll back by itself; a second rollback would hide the first error.
    if ((connection as NodeSqliteConnection).inTransaction) {
      await connection.executeQuery(CompiledQuery.raw('rollback'));
    }
  }

  async destroy(): Promise<void> {
    // Whoever holds the connection finishes first, as with a PostgreSQL pool.
    await this.#users.idle();
    this.#connection?.close();
    this.#connection = null;
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#prepare(query.sql);
    const parameters = query.parameters.map(toSqlite);
    if (statement.columns().length > 0) {
      return { rows: statement.all(...parameters) as R[] };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  // biome-ignore lint/correctness/useYield: the port asks for a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Streaming is not offered over node:sqlite. Page through the rows by seq instead.');
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    if (this.#statements.size >= STATEMENT_CACHE_SIZE) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

function toSqlite(value: unknown): SQLInputValue {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value as SQLInputValue;
}
