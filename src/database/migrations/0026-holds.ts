import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, withSeq } from '../column-types.ts';

interface Before {
  parks: { credential: string; until: number; why: string; at: number };
  holds: Record<string, unknown>;
  dispatches: { state: string; due_at: number; reason: string | null; hold_id: string | null };
}

/** One mechanism in place of `parks`: what holds up a credential, an agent, a repository, a conversation or all. */
export function holds(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async (db: Kysely<unknown>) => {
      const { schema } = db;
      await withSeq(schema.createTable('holds'), t)
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('scope', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('label', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('by_kind', 'text', (c) => c.notNull())
        .addColumn('by_name', 'text')
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('until', t.long)
        .addColumn('ended_at', t.long)
        .addColumn('lifted_by', 'text')
        .execute();
      await schema
        .createIndex('holds_in_force')
        .on('holds')
        .columns(['scope', 'by_kind'])
        .unique()
        .where(sql.ref('ended_at'), 'is', null)
        .execute();
      await schema.alterTable('dispatches').addColumn('hold_id', 'text').execute();
      await takeOver(db as Kysely<Before>);
      await schema.dropTable('parks').execute();
    },
  };
}

async function takeOver(db: Kysely<Before>): Promise<void> {
  for (const { credential, until, why, at } of await db.selectFrom('parks').selectAll().execute()) {
    const id = crypto.randomUUID();
    const model = credential.startsWith('model:') ? credential.slice('model:'.length) : null;
    await db
      .insertInto('holds')
      .values({
        id,
        scope: `credential:${credential}`,
        kind: 'credential',
        label: model === null ? 'model credential' : `model ${model}`,
        reason: why,
        by_kind: 'limit',
        by_name: null,
        at,
        until,
        ended_at: until <= Date.now() ? until : null,
        lifted_by: null,
      })
      .execute();
    await db
      .updateTable('dispatches')
      .set({ hold_id: id })
      .where('state', '=', 'parked')
      .where('due_at', '=', until)
      .where('reason', '=', why)
      .execute();
  }
}
