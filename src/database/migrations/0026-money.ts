import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, withSeq } from '../column-types.ts';

/** What requests on their way may cost, raises of budgets, and warnings that were given. */
export function money(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('model_reservations')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('dispatch_id', 'text', (c) => c.notNull())
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('tokens', t.long, (c) => c.notNull())
        .addColumn('micro_usd', t.long)
        .addColumn('state', 'text', (c) => c.notNull())
        .execute();
      await withSeq(schema.createTable('budget_raises'), t)
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('budget', 'text', (c) => c.notNull())
        .addColumn('micro_usd', t.long, (c) => c.notNull())
        .addColumn('tokens', t.long, (c) => c.notNull())
        .addColumn('by_name', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('until', t.long)
        .execute();
      await schema.createIndex('budget_raises_budget').on('budget_raises').column('budget').execute();
      await withSeq(schema.createTable('budget_warnings'), t)
        .addColumn('budget', 'text', (c) => c.notNull())
        .addColumn('label', 'text', (c) => c.notNull())
        .addColumn('unit', 'text', (c) => c.notNull())
        .addColumn('period_start', t.long, (c) => c.notNull())
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('spent', t.long, (c) => c.notNull())
        .addColumn('cap', t.long, (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addUniqueConstraint('budget_warnings_once', ['budget', 'unit', 'period_start'])
        .execute();
      // Sums of a period are read before each request: from the index alone.
      for (const [name, first] of Object.entries({
        agent: ['agent', 'at'],
        at: ['at'],
        spent: ['conversation_id', 'at'],
      })) {
        await schema
          .createIndex(`model_requests_${name}`)
          .on('model_requests')
          .columns([...first, ...SUMMED])
          .execute();
      }
    },
  };
}

const SUMMED = ['micro_usd', 'input_tokens', 'output_tokens', 'cache_write_tokens'];
