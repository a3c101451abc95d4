import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Dispatches that are a person at the session's own terminal. */
export function attach(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('attached_by', 'text').execute();
    },
  };
}
