import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';
import type { DialectName } from '../dialect.ts';

/** What was decided last of each pull request of an agent, and which acts were told to whom. */
export function pullDecisions(dialect: DialectName): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('pull_decisions')
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('number', 'integer', (c) => c.notNull())
        .addColumn('repository_name', 'text', (c) => c.notNull())
        .addColumn('row', 'text', (c) => c.notNull())
        .addColumn('act', 'text', (c) => c.notNull())
        .addColumn('facts', 'text', (c) => c.notNull())
        .addColumn('has_ci', 'integer', (c) => c.notNull())
        .addColumn('holds_turn', 'integer', (c) => c.notNull())
        .addColumn('unsure_since', t.long)
        .addColumn('is_open', 'integer', (c) => c.notNull())
        .addColumn('decided_at', t.long, (c) => c.notNull())
        .addPrimaryKeyConstraint('pull_decisions_pk', ['forge', 'repository_id', 'number'])
        .execute();
      await schema
        .createTable('pull_acts')
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository_id', 'text', (c) => c.notNull())
        .addColumn('number', 'integer', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('act_key', 'text', (c) => c.notNull())
        .addColumn('delivery_id', 'text', (c) => c.notNull())
        .addColumn('told_at', t.long, (c) => c.notNull())
        .addPrimaryKeyConstraint('pull_acts_pk', ['forge', 'repository_id', 'number', 'agent', 'act_key'])
        .execute();
    },
  };
}
