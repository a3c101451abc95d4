import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { COLUMN_TYPES, type ColumnTypes, type Schema } from '../column-types.ts';

/**
 * Issue 5 and pull request 5 are two items on a forge that numbers them apart, so the kind is part of an item's key.
 * The kind comes after the number: a person who writes `#5` names no kind, and the index can still answer by forge,
 * repository and number.
 */
export function kindInTheItemKey(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await (dialect === 'sqlite' ? rebuildTables(db, COLUMN_TYPES.sqlite) : changeConstraints(db));
      await db.schema
        .createIndex('conversation_items_conversation')
        .on('conversation_items')
        .column('conversation_id')
        .execute();
      await addKindOfDeliveries(db);
    },
  };
}

/**
 * An earlier release did not keep the kind. The conversation's own item has the conversation's kind; the kind of
 * another item is in its row of `items`; and where there is none, it is a pull request, because nothing else has ever
 * joined a conversation.
 */
const KIND = sql`coalesce(
  (select c.item_kind from conversations c where c.id = i.conversation_id and c.item_number = i.number),
  (select s.kind from items s
    where s.forge = i.forge and s.repository_id = i.repository_id and s.number = i.number),
  'pull')`;

async function changeConstraints(db: Kysely<unknown>): Promise<void> {
  await sql`alter table conversation_items add column kind text`.execute(db);
  await sql`update conversation_items as i set kind = ${KIND}`.execute(db);
  await sql`alter table conversation_items alter column kind set not null`.execute(db);
  await sql`
    alter table conversation_items
      drop constraint conversation_items_pk,
      add constraint conversation_items_pk primary key (forge, repository_id, number, kind, agent)`.execute(
    db,
  );
  await sql`
    alter table items
      drop constraint items_pk,
      add constraint items_pk primary key (forge, repository_id, number, kind)`.execute(db);
  await sql`
    alter table conversations
      drop constraint conversations_key,
      add constraint conversations_key unique (forge, repository_id, item_number, item_kind, agent)`.execute(
    db,
  );
}

/** SQLite cannot change a key, so each table is created again under its name and filled with its old rows. */
async function rebuildTables(db: Kysely<unknown>, t: ColumnTypes): Promise<void> {
  // Rows of other tables point at conversations. They point at nothing between the two statements below, and at the
  // same rows again before the transaction ends; SQLite checks them only then.
  await sql`pragma defer_foreign_keys = on`.execute(db);
  await sql`
    create temporary table kept_conversation_items as
      select forge, repository_id, number, ${KIND} as kind, agent, conversation_id
      from conversation_items as i`.execute(db);
  await sql`create temporary table kept_items as select * from items`.execute(db);
  await sql`create temporary table kept_conversations as select * from conversations`.execute(db);
  await withIndexes(db, async () => {
    for (const table of ['conversation_items', 'items', 'conversations']) {
      await db.schema.dropTable(table).execute();
    }
    await createConversations(db.schema, t);
    await createItems(db.schema);
    for (const table of ['conversations', 'conversation_items', 'items']) {
      // The columns are named, because the new table has them in another order.
      const columns = COLUMNS[table]!;
      const names = sql.join(columns.map((column) => sql.ref(column)));
      const kept = sql.table(`kept_${table}`);
      await sql`insert into ${sql.table(table)} (${names}) select ${names} from ${kept}`.execute(db);
      await sql`drop table ${kept}`.execute(db);
    }
  });
}

/**
 * For each conversation SQLite looks for rows that point at it, and without an index it reads the whole table each
 * time.
 */
async function withIndexes(db: Kysely<unknown>, work: () => Promise<void>): Promise<void> {
  const pointing = ['effects', 'session_mark_lifts'];
  for (const table of pointing) {
    await db.schema.createIndex(`${table}_pointing`).on(table).column('conversation_id').execute();
  }
  await work();
  for (const table of pointing) await db.schema.dropIndex(`${table}_pointing`).execute();
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  conversations: [
    ...['id', 'forge', 'repository_id', 'repository_name', 'agent', 'item_number', 'item_kind', 'title'],
    ...['branch', 'seen', 'created_at', 'updated_at', 'lease_worker', 'lease_token', 'lease_until'],
  ],
  conversation_items: ['forge', 'repository_id', 'number', 'kind', 'agent', 'conversation_id'],
  items: [
    ...['forge', 'repository_id', 'number', 'kind', 'labels', 'assignees', 'head_sha', 'head_ref'],
    'occurred_at',
  ],
};

async function createConversations(schema: Schema, t: ColumnTypes): Promise<void> {
  await schema
    .createTable('conversations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('repository_name', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('item_number', 'integer', (c) => c.notNull())
    .addColumn('item_kind', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('branch', 'text')
    .addColumn('seen', 'text')
    .addColumn('created_at', t.long, (c) => c.notNull())
    .addColumn('updated_at', t.long, (c) => c.notNull())
    .addColumn('lease_worker', 'text')
    .addColumn('lease_token', t.long, (c) => c.notNull())
    .addColumn('lease_until', t.long, (c) => c.notNull())
    .addUniqueConstraint('conversations_key', ['forge', 'repository_id', 'item_number', 'item_kind', 'agent'])
    .execute();
  await schema
    .createTable('conversation_items')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) => c.notNull().references('conversations.id'))
    .addPrimaryKeyConstraint('conversation_items_pk', ['forge', 'repository_id', 'number', 'kind', 'agent'])
    .execute();
}

async function createItems(schema: Schema): Promise<void> {
  await schema
    .createTable('items')
    .addColumn('forge', 'text', (c) => c.notNull())
    .addColumn('repository_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('labels', 'text', (c) => c.notNull())
    .addColumn('assignees', 'text', (c) => c.notNull())
    .addColumn('head_sha', 'text')
    .addColumn('head_ref', 'text')
    .addColumn('occurred_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('items_pk', ['forge', 'repository_id', 'number', 'kind'])
    .execute();
  await schema
    .createIndex('items_head')
    .on('items')
    .columns(['forge', 'repository_id', 'head_sha'])
    .execute();
}

/**
 * The delivery of a comment keeps null, because its event's name shows no kind; only the number counts then.
 */
async function addKindOfDeliveries(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('deliveries').addColumn('item_kind', 'text').execute();
  await sql`
    update deliveries set item_kind = case when event_name like 'issue.%' then 'issue' else 'pull' end
    where item_number is not null
      and (event_name like 'issue.%' or event_name like 'pull.%' or event_name like 'review.%'
        or event_name like 'ci.%')`.execute(db);
}
