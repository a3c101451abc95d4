import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, withSeq } from '../column-types.ts';

/** Whose texts each session has read, and which people have lifted such marks. */
export function sessionMarks(dialect: 'sqlite' | 'postgres'): Migration {
  const t = COLUMN_TYPES[dialect];
  return {
    up: async (db: Kysely<unknown>) => {
      await withSeq(db.schema.createTable('session_mark_lifts'), t)
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('session_id', 'text', (c) => c.notNull().references('sessions.id'))
        .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
        .addColumn('lifted_by', 'text', (c) => c.notNull())
        .addColumn('because', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .execute();
      await withSeq(db.schema.createTable('session_marks'), t)
        .addColumn('session_id', 'text', (c) => c.notNull().references('sessions.id'))
        .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
        .addColumn('author', 'text', (c) => c.notNull())
        .addColumn('place', 'text', (c) => c.notNull())
        .addColumn('digest', 'text', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('dispatch_id', 'text', (c) => c.notNull())
        .addColumn('at', t.long, (c) => c.notNull())
        .addColumn('inherited_from', 'text')
        .addColumn('lift_id', 'text', (c) => c.references('session_mark_lifts.id'))
        // The same text marks a session once: reading it again does not bring back a mark that a person has lifted.
        .addUniqueConstraint('session_marks_once', ['session_id', 'author', 'place', 'digest'])
        .execute();
      await db.schema
        .createIndex('session_marks_conversation')
        .on('session_marks')
        .columns(['conversation_id', 'seq'])
        .execute();
    },
  };
}
