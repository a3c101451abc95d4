import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, type ColumnTypes, type Schema, withSeq } from '../column-types.ts';

/**
 * An event is stored once; deliveries and messages point at it. Until now `event_keys` held its key, and each message a
 * copy of it. Existing rows are moved: an event gets the id of the delivery that told of it, so that one statement
 * finds the event of every delivery and message. Where no message had a copy, `event` stays null and is read from the
 * delivery's bytes.
 */
export function eventsAsRows(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await createTables(db.schema, COLUMN_TYPES[dialect]);
      await moveKeys(db, dialect);
      await moveReplays(db);
      await moveProofs(db, dialect);
      await pointAtEvents(db);
      await db.schema.alterTable('messages').dropColumn('event').execute();
      await db.schema.dropTable('event_keys').execute();
    },
  };
}

async function createTables(schema: Schema, t: ColumnTypes): Promise<void> {
  await withSeq(schema.createTable('events'), t)
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('semantic_key', 'text')
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('delivery_id', 'text', (c) => c.notNull())
    .addColumn('event', 'text')
    // guard: semantic key, part 3
    .addUniqueConstraint('events_once', ['forge', 'semantic_key'])
    .execute();
  // The forge's own id of an act, and the delivery that woke an agent for it.
  await schema
    .createTable('event_proofs')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('proof', 'text', (c) => c.notNull())
    .addColumn('delivery_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('event_proofs_pk', ['forge', 'proof'])
    .execute();
  for (const table of ['deliveries', 'messages']) {
    await schema
      .alterTable(table)
      .addColumn('event_id', 'text', (c) => c.references('events.id'))
      .execute();
  }
}

/**
 * A key is `<repository id>:<event name>:…`. The forge's ids of acts were in the same table, in the form
 * `<repository id>:proof:…`.
 */
async function moveKeys(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await sql`
    insert into events (id, forge, semantic_key, source, delivery_id, event)
    select k.delivery_id, k.forge, k.semantic_key, coalesce(d.source, 'webhook'), k.delivery_id, m.event
    from event_keys k
    left join deliveries d on d.id = k.delivery_id
    left join (select delivery_id, min(seq) as seq from messages group by delivery_id) one on one.delivery_id = k.delivery_id
    left join messages m on m.seq = one.seq
    where not (${isProof(dialect)})
    order by d.seq`.execute(db);
}

async function moveProofs(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  const colon = colonOf(dialect);
  await sql`
    insert into event_proofs (forge, proof, delivery_id)
    select k.forge, substr(k.semantic_key, 1, ${colon}) || substr(k.semantic_key, ${colon} + 7), k.delivery_id
    from event_keys k
    where ${isProof(dialect)}`.execute(db);
}

function isProof(dialect: 'sqlite' | 'postgres') {
  return sql`substr(k.semantic_key, ${colonOf(dialect)} + 1, 6) = 'proof:'`;
}

function colonOf(dialect: 'sqlite' | 'postgres') {
  return dialect === 'sqlite' ? sql`instr(k.semantic_key, ':')` : sql`strpos(k.semantic_key, ':')`;
}

/** Events of replays had no key in `event_keys`. One delivery may have messages in several conversations. */
async function moveReplays(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into events (id, forge, semantic_key, source, delivery_id, event)
    select m.delivery_id, c.forge, null, 'replay', m.delivery_id, m.event
    from messages m
    inner join conversations c on c.id = m.conversation_id
    where m.seq in (select min(seq) from messages group by delivery_id)
      and m.delivery_id not in (select id from events)
    order by m.seq`.execute(db);
}

async function pointAtEvents(db: Kysely<unknown>): Promise<void> {
  await sql`update messages set event_id = delivery_id`.execute(db);
  await sql`update deliveries set event_id = id where id in (select id from events)`.execute(db);
  await sql`
    update deliveries set event_id = duplicate_of
    where state = 'duplicate' and duplicate_of in (select id from events)`.execute(db);
}
