import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';
import type { DialectName } from '../dialect.ts';

/** Conversations whose branch stands on that of another pull request, until that is merged. */
export function stacks(dialect: DialectName): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('stacks')
        .addColumn('conversation_id', 'text', (c) => c.primaryKey())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('parent', 'integer', (c) => c.notNull())
        .addColumn('parent_branch', 'text', (c) => c.notNull())
        .addColumn('parent_head', 'text', (c) => c.notNull())
        .addColumn('look_at', t.long, (c) => c.notNull())
        .addColumn('ended_at', t.long)
        .execute();
      await schema.createIndex('stacks_open').on('stacks').columns(['ended_at', 'look_at']).execute();
    },
  };
}
