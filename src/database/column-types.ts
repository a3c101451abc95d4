/**
 * What differs between the two databases in a migration, in one place:
 * - `seq`: AUTOINCREMENT never reuses a number on SQLite, an identity column on PostgreSQL.
 * - times and sizes: INTEGER is 64 bit on SQLite, BIGINT on PostgreSQL.
 * - bytes: BLOB and BYTEA.
 */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';

export interface ColumnTypes {
  long: 'integer' | 'bigint';
  bytes: 'blob' | 'bytea';
  seq: ReturnType<typeof sql>;
}

export const COLUMN_TYPES: Record<'sqlite' | 'postgres', ColumnTypes> = {
  sqlite: { long: 'integer', bytes: 'blob', seq: sql`integer primary key autoincrement` },
  postgres: { long: 'bigint', bytes: 'bytea', seq: sql`bigint generated always as identity primary key` },
};

export type Schema = Kysely<unknown>['schema'];

/** Raw column types: Kysely's own names do not cover the identity and autoincrement forms. */
export function withSeq(table: CreateTableBuilder<string, never>, types: ColumnTypes) {
  return table.addColumn('seq', types.seq as never);
}
