/** Counts the statements that a function sends to the database, and keeps them to be looked at. */
import { type CompiledQuery, createQueryId, type Kysely, type KyselyPlugin } from 'kysely';
import type { Tables } from '../../src/database/tables.ts';

export interface CountedRows {
  rows: Kysely<Tables>;
  /** since it was asked last */
  statements(): number;
  /** all there ever were */
  sent: CompiledQuery[];
}

export function countStatements(rows: Kysely<Tables>): CountedRows {
  const sent: CompiledQuery[] = [];
  let told = 0;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      sent.push(rows.getExecutor().compileQuery(node, createQueryId()));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return {
    rows: rows.withPlugin(plugin),
    statements: () => {
      const since = sent.length - told;
      told = sent.length;
      return since;
    },
    sent,
  };
}
