/** A database that counts what is asked of it. */
import type { KyselyPlugin } from 'kysely';
import type { TestDatabase } from './databases.ts';

export interface Counts {
  statements: number;
  transactions: number;
  /** statements outside of a transaction: each is one by itself */
  alone: number;
}

/** Statements of one task at a time; `begin` and `commit` are none. */
export function counted(database: TestDatabase): { database: TestDatabase; counts: () => Counts } {
  const counts: Counts = { statements: 0, transactions: 0, alone: 0 };
  let isOpen = false;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      counts.statements++;
      if (!isOpen) counts.alone++;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const rows = database.rows.withPlugin(plugin);
  const transaction: TestDatabase['transaction'] = async (work) => {
    counts.transactions++;
    return await rows.transaction().execute(async (tx) => {
      isOpen = true;
      try {
        return await work(tx);
      } finally {
        isOpen = false;
      }
    });
  };
  return { database: { ...database, rows, transaction }, counts: () => ({ ...counts }) };
}
