import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/** What set-up commands made, and what a dispatch had of it. */
export function layers(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('layers')
        .addColumn('place', 'text', (c) => c.notNull())
        .addColumn('key', 'text', (c) => c.notNull())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('engine', 'text', (c) => c.notNull())
        .addColumn('image', 'text')
        .addColumn('recipe', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('made_by', 'text', (c) => c.notNull())
        .addColumn('created_at', t.long, (c) => c.notNull())
        .addColumn('ended_at', t.long)
        .addColumn('used_at', t.long)
        .addColumn('bytes', t.long, (c) => c.notNull())
        .addColumn('failures', 'integer', (c) => c.notNull())
        .addColumn('retry_at', t.long)
        .addColumn('reason', 'text')
        .addColumn('log_end', 'text')
        .addPrimaryKeyConstraint('layers_key', ['place', 'key'])
        .execute();
      await schema.alterTable('dispatches').addColumn('set_up', 'text').execute();
    },
  };
}
