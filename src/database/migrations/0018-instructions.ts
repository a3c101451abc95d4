import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which instructions are in the system prompt that the CLI has recorded for a session. */
export function instructions(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('sessions').addColumn('instructions_digest', 'text').execute();
    },
  };
}
