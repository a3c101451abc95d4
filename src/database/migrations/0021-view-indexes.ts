import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What lists and references ask for: the conversations that changed last, and those of an item's number. Without these,
 * every conversation there ever was is read and sorted for each page.
 */
export function viewIndexes(): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createIndex('conversations_changed')
        .on('conversations')
        .columns(['updated_at desc', 'id'])
        .execute();
      await schema
        .createIndex('conversation_items_number')
        .on('conversation_items')
        .column('number')
        .execute();
    },
  };
}
