import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/**
 * What a delivery is about, so that the deliveries of an item are found without reading every body. Null where it is
 * not known.
 */
export function aboutOfDeliveries(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema.alterTable('deliveries').addColumn('repository_name', 'text').execute();
      await schema.alterTable('deliveries').addColumn('item_number', COLUMN_TYPES[dialect].long).execute();
      await schema.alterTable('deliveries').addColumn('sender_login', 'text').execute();
      // The index leaves out the name, because PostgreSQL refuses rows whose indexed text is longer than 2.7 kB.
      await schema.createIndex('deliveries_item').on('deliveries').column('item_number').execute();
    },
  };
}
