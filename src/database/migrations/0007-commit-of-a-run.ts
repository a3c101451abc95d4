import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The commit that stood in the checkout when a run began: a review is about this one, and news is what came after it. */
export function commitOfARun(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('commit_sha', 'text').execute();
    },
  };
}
