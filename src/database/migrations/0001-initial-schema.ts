import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, type ColumnTypes, type Schema, withSeq } from '../column-types.ts';

export function initialSchema(dialect: 'sqlite' | 'postgres'): Migration {
  const types = COLUMN_TYPES[dialect];
  return {
    up: async (db: Kysely<unknown>) => {
      await createInbox(db.schema, types);
      await createMailbox(db.schema, types);
      await createDispatches(db.schema, types);
      await createSessions(db.schema, types);
      await createRecord(db.schema, types);
    },
  };
}

async function createInbox(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('deliveries'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('forge_delivery_id', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('headers', 'text', (c) => c.notNull())
    .addColumn('body', t.bytes as never, (c) => c.notNull())
    .addColumn('received_at', t.long, (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('duplicate_of', 'text')
    .addColumn('event_name', 'text')
    .addColumn('decision', 'text')
    .addColumn('decided_at', t.long)
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('next_attempt_at', t.long, (c) => c.notNull())
    // guard: delivery id, part 1
    .addUniqueConstraint('deliveries_forge_delivery', ['forge', 'forge_delivery_id'])
    .execute();
  await schema.createIndex('deliveries_state').on('deliveries').columns(['state', 'seq']).execute();

  await schema
    .createTable('event_keys')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('semantic_key', 'text', (c) => c.notNull())
    .addColumn('delivery_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('event_keys_pk', ['forge', 'semantic_key'])
    .execute();

  await schema
    .createTable('items')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('labels', 'text', (c) => c.notNull())
    .addColumn('assignees', 'text', (c) => c.notNull())
    .addColumn('head_sha', 'text')
    .addColumn('head_ref', 'text')
    .addColumn('occurred_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('items_pk', ['forge', 'repository_id', 'number'])
    .execute();
  await schema
    .createIndex('items_head')
    .on('items')
    .columns(['forge', 'repository_id', 'head_sha'])
    .execute();
}

async function createMailbox(schema: Schema, t: ColumnTypes): Promise<void> {
  await schema
    .createTable('conversations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('repository_name', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('item_number', 'integer', (c) => c.notNull())
    .addColumn('item_kind', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('branch', 'text')
    .addColumn('seen', 'text')
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('updated_at', t.long, (c) => c.notNull())
    .addColumn('lease_worker', 'text')
    .addColumn('lease_token', t.long, (c) => c.notNull())
    .addColumn('lease_until', t.long, (c) => c.notNull())
    .addUniqueConstraint('conversations_key', ['forge', 'repository_id', 'item_number', 'agent'])
    .execute();

  await schema
    .createTable('conversation_items')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addPrimaryKeyConstraint('conversation_items_pk', ['forge', 'repository_id', 'number', 'agent'])
    .execute();

  await withSeq(schema.createTable('messages'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('delivery_id', 'text', (c) => c.notNull())
    .addColumn('flow', 'text', (c) => c.notNull())
    .addColumn('skill', 'text', (c) => c.notNull())
    .addColumn('parameters', 'text', (c) => c.notNull())
    .addColumn('priority', 'integer', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('dispatch_id', 'text')
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('settled_at', t.long)
    // One delivery has at most one message in a mailbox, however often the work before this row was retried.
    .addUniqueConstraint('messages_once', ['conversation_id', 'delivery_id'])
    .execute();
  await schema
    .createIndex('messages_waiting')
    .on('messages')
    .columns(['conversation_id', 'state', 'seq'])
    .execute();
}

async function createDispatches(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('dispatches'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('priority', 'integer', (c) => c.notNull())
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('due_at', t.long, (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('troubles', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('worker', 'text')
    .addColumn('started_at', t.long)
    .addColumn('ended_at', t.long)
    .addColumn('session_id', 'text')
    .addColumn('continuity', 'text')
    .addColumn('prompt', 'text')
    .addColumn('carried', 'text', (c) => c.notNull())
    .addColumn('snapshot', 'text')
    .addColumn('answer', 'text')
    .addColumn('ending', 'text')
    .addColumn('history_messages', 'integer')
    .addColumn('turns', 'integer')
    .addColumn('usage', 'text')
    .execute();
  await schema.createIndex('dispatches_due').on('dispatches').columns(['state', 'due_at']).execute();
  await schema
    .createIndex('dispatches_conversation')
    .on('dispatches')
    .columns(['conversation_id', 'seq'])
    .execute();
  // Guarantee 2 in the schema itself: whatever the code does, a conversation has at most one running and one coming
  // dispatch.
  await schema
    // guard: one running dispatch (index)
    .createIndex('dispatches_one_running')
    .unique()
    .on('dispatches')
    .column('conversation_id')
    .where(sql.ref('state'), '=', 'running')
    .execute();
  await schema
    // guard: one waiting dispatch (index)
    .createIndex('dispatches_one_waiting')
    .unique()
    .on('dispatches')
    .column('conversation_id')
    .where(sql.ref('state'), 'in', sql`('queued', 'parked', 'interrupted')`)
    .execute();
}

async function createSessions(schema: Schema, t: ColumnTypes): Promise<void> {
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('ordinal', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('replaced_by', 'text')
    .addColumn('head', 'text')
    .addColumn('size', t.long, (c) => c.notNull())
    .addColumn('failed_resumes', 'integer', (c) => c.notNull())
    .addColumn('synthesised', 'integer', (c) => c.notNull())
    .addColumn('cli_version', 'text')
    .addColumn('config_folder', 'text', (c) => c.notNull())
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('verified_at', t.long)
    .addUniqueConstraint('sessions_chain', ['conversation_id', 'ordinal'])
    .execute();

  await schema
    .createTable('transcript_files')
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('size', t.long, (c) => c.notNull())
    .addPrimaryKeyConstraint('transcript_files_pk', ['conversation_id', 'path'])
    .execute();

  await schema
    .createTable('transcript_chunks')
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('start', t.long, (c) => c.notNull())
    .addColumn('bytes', t.bytes as never, (c) => c.notNull())
    .addPrimaryKeyConstraint('transcript_chunks_pk', ['conversation_id', 'path', 'generation', 'start'])
    .execute();
}

async function createRecord(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('turns'), t)
    .addColumn('dispatch_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('uuid', 'text')
    .addColumn('at', t.long, (c) => c.notNull())
    .execute();
  await schema.createIndex('turns_conversation').on('turns').columns(['conversation_id', 'seq']).execute();

  await withSeq(schema.createTable('incidents'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('dispatch_id', 'text', (c) => c.notNull())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('rung', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('evidence', 'text', (c) => c.notNull())
    .addColumn('at', t.long, (c) => c.notNull())
    .execute();
  await schema
    .createIndex('incidents_conversation')
    .on('incidents')
    .columns(['conversation_id', 'seq'])
    .execute();

  await withSeq(schema.createTable('effects'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('dispatch_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('done_at', t.long)
    .execute();
  await schema.createIndex('effects_dispatch').on('effects').columns(['dispatch_id', 'seq']).execute();

  await schema
    .createTable('parks')
    .addColumn('credential', 'text', (c) => c.primaryKey())
    .addColumn('until', t.long, (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('at', t.long, (c) => c.notNull())
    .execute();
}
