import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Each scrape of the metrics counts dispatches by their rung. Without this index the scrape reads every stored prompt.
 */
export function continuityIndex(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.createIndex('dispatches_continuity').on('dispatches').column('continuity').execute();
    },
  };
}
