import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A running dispatch is told by its row that somebody may have taken back what it was woken for. */
export function recalls(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('recalled_by', 'text').execute();
    },
  };
}
