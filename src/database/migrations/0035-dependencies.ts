import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';
import type { DialectName } from '../dialect.ts';

/** Conversations that wait for other items to be closed. */
export function dependencies(dialect: DialectName): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('dependency_waits')
        .addColumn('conversation_id', 'text', (c) => c.primaryKey())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('number', 'integer', (c) => c.notNull())
        .addColumn('awaited', 'text', (c) => c.notNull())
        .addColumn('cycle', 'integer', (c) => c.notNull())
        .addColumn('hold_id', 'text', (c) => c.notNull())
        .addColumn('since', t.long, (c) => c.notNull())
        .addColumn('look_at', t.long, (c) => c.notNull())
        .addColumn('ended_at', t.long)
        .execute();
      await schema
        .createIndex('dependency_waits_open')
        .on('dependency_waits')
        .columns(['ended_at', 'look_at'])
        .execute();
    },
  };
}
