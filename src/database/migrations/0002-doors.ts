import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, type ColumnTypes, type Schema, withSeq } from '../column-types.ts';

/** What passes the worker's doors: an audit of attempts, and a ledger of requests to the model. */
export function doors(dialect: 'sqlite' | 'postgres'): Migration {
  const types = COLUMN_TYPES[dialect];
  return {
    up: async (db: Kysely<unknown>) => {
      await createAudit(db.schema, types);
      await createModelRequests(db.schema, types);
    },
  };
}

async function createAudit(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('audit'), t)
    .addColumn('at', t.long, (c) => c.notNull())
    .addColumn('dispatch_id', 'text')
    .addColumn('conversation_id', 'text')
    .addColumn('agent', 'text')
    .addColumn('door', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('decision', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('audit_dispatch').on('audit').columns(['dispatch_id', 'seq']).execute();
  await schema.createIndex('audit_conversation').on('audit').columns(['conversation_id', 'seq']).execute();
}

async function createModelRequests(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('model_requests'), t)
    .addColumn('dispatch_id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('at', t.long, (c) => c.notNull())
    .addColumn('model', 'text')
    .addColumn('status', 'integer')
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('input_tokens', t.long, (c) => c.notNull())
    .addColumn('output_tokens', t.long, (c) => c.notNull())
    .addColumn('cache_read_tokens', t.long, (c) => c.notNull())
    .addColumn('cache_write_tokens', t.long, (c) => c.notNull())
    .addColumn('micro_usd', t.long)
    .addColumn('first_byte_ms', 'integer')
    .addColumn('total_ms', 'integer')
    .execute();
  await schema
    .createIndex('model_requests_dispatch')
    .on('model_requests')
    .columns(['dispatch_id', 'seq'])
    .execute();
  await schema
    .createIndex('model_requests_conversation')
    .on('model_requests')
    .columns(['conversation_id', 'at'])
    .execute();
}
