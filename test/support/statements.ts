/** Counts the statements that a function sends to the database. */
import type { Kysely, KyselyPlugin } from 'kysely';
import type { Tables } from '../../src/database/tables.ts';

export interface CountedRows {
  rows: Kysely<Tables>;
  /** since it was asked last */
  statements(): number;
}

export function countStatements(rows: Kysely<Tables>): CountedRows {
  let sent = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      sent += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return {
    rows: rows.withPlugin(plugin),
    statements: () => {
      const since = sent;
      sent = 0;
      return since;
    },
  };
}
