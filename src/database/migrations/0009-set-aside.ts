import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/** Texts that the model refused: they stay on the forge, and are left out of the conversation's prompts. */
export function setAside(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('set_aside')
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('text_id', t.long, (c) => c.notNull())
        .addColumn('digest', 'text', (c) => c.notNull())
        .addColumn('dispatch_id', 'text', (c) => c.notNull())
        .addColumn('why', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addPrimaryKeyConstraint('set_aside_key', ['conversation_id', 'kind', 'text_id', 'digest'])
        .execute();
    },
  };
}
