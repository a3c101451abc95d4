import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES } from '../column-types.ts';

/** Commits whose lock files a person approved for the package door. */
export function packageApprovals(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async ({ schema }: Kysely<unknown>) => {
      await schema
        .createTable('package_approvals')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('forge', 'text', (c) => c.notNull())
        .addColumn('repository', 'text', (c) => c.notNull())
        .addColumn('commit_sha', 'text', (c) => c.notNull())
        .addColumn('approved_by', 'text', (c) => c.notNull())
        .addColumn('because', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('withdrawn_at', t.long)
        .addColumn('withdrawn_by', 'text')
        .execute();
      await schema
        .createIndex('package_approvals_repository')
        .on('package_approvals')
        .columns(['forge', 'repository'])
        .execute();
    },
  };
}
