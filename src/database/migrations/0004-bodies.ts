import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/**
 * Large bodies are stored in pieces; a delivery names the entry of the configuration whose secret signed it.
 */
export function bodies(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('deliveries').addColumn('signed_for', 'text').execute();
      await schema.alterTable('deliveries').addColumn('pieces', 'integer').execute();
      await schema
        .createTable('delivery_pieces')
        .addColumn('delivery_id', 'text', (c) => c.notNull())
        .addColumn('ordinal', 'integer', (c) => c.notNull())
        .addColumn('stored_at', t.long, (c) => c.notNull())
        .addColumn('bytes', t.bytes, (c) => c.notNull())
        .addPrimaryKeyConstraint('delivery_pieces_key', ['delivery_id', 'ordinal'])
        .execute();
    },
  };
}
