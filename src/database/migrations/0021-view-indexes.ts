import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What lists and references ask for: the conversations that changed last, those of an item's number, and a conversation's
 * dispatches of one state. Without these, every conversation there ever was is read and sorted for each page, and SQLite
 * reads all dispatches of that state for each conversation of it.
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
      await schema
        .createIndex('dispatches_conversation_state')
        .on('dispatches')
        .columns(['conversation_id', 'state'])
        .execute();
    },
  };
}
