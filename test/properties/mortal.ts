/** A process that can die between any two of its queries, as the database sees it. */
import type { KyselyPlugin } from 'kysely';
import type { Database } from '../../src/database/database.ts';

/** The error that a dead process gets. The product does not know it, so nothing reacts to it with another write. */
export class Died extends Error {
  override name = 'Died';
}

export interface Mortal {
  database: Database;
  /** lets this many more queries pass; null: all */
  allow(queries: number | null): void;
  isDead(): boolean;
}

/** An open transaction is rolled back by the real driver, as the server does when a connection is gone. */
export function mortal(real: Database): Mortal {
  let left: number | null = null;
  let dead = false;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      if (left === 0) dead = true;
      if (dead) throw new Died('this process is gone');
      if (left !== null) left--;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return {
    database: {
      ...real,
      rows: real.rows.withPlugin(plugin),
      transaction: (work) => real.transaction((tx) => work(tx.withPlugin(plugin))),
    },
    allow: (queries) => {
      left = queries;
    },
    isDead: () => dead,
  };
}
