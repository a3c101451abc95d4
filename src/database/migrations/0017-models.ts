import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The model that answered, and which sessions still have the system prompt of a release that told agents to keep a
 * memory.
 */
export function models(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('model', 'text').execute();
      await schema.alterTable('dispatches').addColumn('former_model', 'text').execute();
      await schema
        .alterTable('sessions')
        .addColumn('told_of_memory', 'integer', (c) => c.notNull().defaultTo(1))
        .execute();
    },
  };
}
