import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, type ColumnTypes, type Schema, withSeq } from '../column-types.ts';

/** What the forge shows of our work while it goes on, what waits for a person, and the commands that people gave. */
export function whatPeopleSee(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await createNotices(schema, t);
      await createAsks(schema, t);
      await createCommands(schema, t);
      await schema.alterTable('dispatches').addColumn('stop_asked', 'text').execute();
      await schema.alterTable('conversations').addColumn('fresh_asked', 'text').execute();
    },
  };
}

async function createNotices(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('notices'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('repository_name', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('dispatch_id', 'text')
    .addColumn('wanted', 'text')
    .addColumn('shown', 'text')
    .addColumn('remote_id', t.long)
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('closed', 'integer', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('due_at', t.long, (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('changed_at', t.long, (c) => c.notNull())
    .execute();
  await schema.createIndex('notices_due').on('notices').columns(['state', 'due_at']).execute();
  await schema.createIndex('notices_open').on('notices').columns(['closed', 'dispatch_id']).execute();
  await schema.createIndex('notices_dispatch').on('notices').column('dispatch_id').execute();
}

async function createAsks(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('asks'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_name', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('conversation_id', 'text')
    .addColumn('dispatch_id', 'text')
    .addColumn('agent', 'text')
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('opened_at', t.long, (c) => c.notNull())
    .addColumn('closed_at', t.long)
    .addColumn('closed_by', 'text')
    .execute();
  await schema.createIndex('asks_state').on('asks').columns(['state', 'seq']).execute();
  await schema.createIndex('asks_conversation').on('asks').columns(['conversation_id', 'state']).execute();
}

async function createCommands(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('commands'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('cause', 'text', (c) => c.notNull())
    .addColumn('ordinal', 'integer', (c) => c.notNull())
    .addColumn('verb', 'text', (c) => c.notNull())
    .addColumn('argument', 'text', (c) => c.notNull())
    .addColumn('asked_by', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('answer', 'text', (c) => c.notNull())
    .addColumn('at', t.long, (c) => c.notNull())
    .addUniqueConstraint('commands_once', ['cause', 'ordinal'])
    .execute();
}
