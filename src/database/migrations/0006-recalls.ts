import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/** The delivery that may have recalled a running dispatch, and the commits that a conversation has pushed. */
export function recalls(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('recalled_by', 'text').execute();
      await schema
        .createTable('pushed_commits')
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('sha', 'text', (c) => c.notNull())
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addPrimaryKeyConstraint('pushed_commits_key', ['forge', 'repository_id', 'sha', 'conversation_id'])
        .execute();
    },
  };
}
