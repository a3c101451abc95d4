import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';
import type { DialectName } from '../dialect.ts';

/**
 * Messages that are handed to a run that is under way, work that a run left in the background, the versions that a
 * dispatch ran with, and timers.
 */
export function steering(dialect: DialectName): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('messages').addColumn('handed_as', 'text').execute();
      await schema.alterTable('messages').addColumn('delivered_at', t.long).execute();
      await schema.alterTable('dispatches').addColumn('background', 'text').execute();
      await schema.alterTable('dispatches').addColumn('versions', 'text').execute();
      await schema
        .createTable('timers')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('dispatch_id', 'text', (c) => c.notNull())
        .addColumn('tool_use_id', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('due_at', t.long, (c) => c.notNull())
        .addColumn('created_at', t.long, (c) => c.notNull())
        .addColumn('ended_at', t.long)
        .addColumn('ended_by', 'text')
        .execute();
      await schema.createIndex('timers_due').on('timers').columns(['state', 'due_at']).execute();
      await schema
        .createIndex('timers_once')
        .unique()
        .on('timers')
        .columns(['conversation_id', 'tool_use_id'])
        .execute();
    },
  };
}
