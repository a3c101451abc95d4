import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The commit in the checkout when a run began: a review is about this commit, and later commits are news. */
export function commitOfARun(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('dispatches').addColumn('commit_sha', 'text').execute();
    },
  };
}
