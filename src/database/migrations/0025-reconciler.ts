import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/** What the reconciler remembers: how far it has looked, what it took in, which rules acted, and who made progress. */
export function reconciler(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('reconciler_marks')
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('mark', t.long, (c) => c.notNull())
        .addColumn('comments_mark', t.long, (c) => c.notNull())
        .addColumn('looked_at', t.long, (c) => c.notNull())
        .addPrimaryKeyConstraint('reconciler_marks_key', ['forge', 'repository_id'])
        .execute();
      await schema
        .createTable('event_likenesses')
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('likeness', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('event_id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('event_likenesses_key', ['forge', 'likeness', 'at'])
        .execute();
      await schema
        .createTable('rule_findings')
        .addColumn('rule', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('item_number', 'integer', (c) => c.notNull())
        .addColumn('agent', 'text')
        .addColumn('conversation_id', 'text')
        .addColumn('why', 'text', (c) => c.notNull())
        .addColumn('remedy', 'text', (c) => c.notNull())
        .addColumn('found_at', t.long, (c) => c.notNull())
        .addColumn('seen_at', t.long, (c) => c.notNull())
        .addColumn('acted_at', t.long)
        .addColumn('did', 'text')
        .addColumn('over_at', t.long)
        .addPrimaryKeyConstraint('rule_findings_key', ['rule', 'subject'])
        .execute();
      await schema
        .createTable('progress')
        .addColumn('conversation_id', 'text', (c) => c.primaryKey())
        .addColumn('without', 'integer', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('asked_at', t.long)
        .execute();
      await schema.alterTable('dispatches').addColumn('progress', 'text').execute();
      await schema.alterTable('items').addColumn('text_digest', 'text').execute();
    },
  };
}
