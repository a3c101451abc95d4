/** A database in the form of the release before, and what becomes of its rows. */
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts';
import { commentEvent } from '../../../test/support/sample-events.ts';
import { eventOf } from '../../inbox/events.ts';
import { acceptDelivery, findDelivery } from '../../inbox.ts';
import { waitingOfComment } from '../../mailbox/messages.ts';
import { explainDelivery } from '../../views/explain.ts';
import { migrate, type Rows } from '../database.ts';
import { migrations } from '../migrations.ts';

const EVENT = commentEvent('hello');
/** As a forge may send it; PostgreSQL keeps it as text, and cannot read it as JSON. */
const REPLAYED = { ...commentEvent('again \0'), comment: { ...EVENT.comment!, id: 777, body: 'again \0' } };

const BODY = {
  action: 'edited',
  repository: { id: 3, full_name: 'team/shop', owner: { login: 'team' }, name: 'shop' },
  sender: { id: 7, login: 'alice' },
  issue: {
    number: 12,
    title: 'Totals are wrong',
    body: 'b',
    user: { id: 7, login: 'alice' },
    pull_request: null,
  },
  changes: { body: { from: 'x' } },
};

async function before(rows: Rows): Promise<void> {
  const delivery = async (id: string, source: string, state: string, duplicateOf: string | null = null) => {
    const headers = JSON.stringify({
      'x-forgejo-delivery': id,
      'x-forgejo-event': 'issues',
      'x-forgejo-event-type': 'issues',
    });
    await sql`
      insert into deliveries (id, forge, forge_delivery_id, source, headers, body, received_at, state, event_name,
        duplicate_of, decided_at, attempts, next_attempt_at)
      values (${id}, 'home', ${`f-${id}`}, ${source}, ${headers}, ${Buffer.from(JSON.stringify(BODY))}, 1, ${state},
        'comment.created', ${duplicateOf}, 2, 0, 1)`.execute(rows);
  };
  const key = async (semanticKey: string, deliveryId: string) =>
    await sql`insert into event_keys values ('home', ${semanticKey}, ${deliveryId})`.execute(rows);
  const message = async (id: string, conversation: string, deliveryId: string, event: object) =>
    await sql`
      insert into messages (id, conversation_id, delivery_id, flow, skill, parameters, priority, event, state, created_at)
      values (${id}, ${conversation}, ${deliveryId}, 'f', 's', '{}', 1, ${JSON.stringify(event)}, 'waiting', 1)`.execute(
      rows,
    );
  for (const agent of ['dev', 'reviewer']) {
    await sql`
      insert into conversations (id, forge, repository_id, repository_name, agent, item_number, item_kind, title,
        created_at, updated_at, lease_token, lease_until)
      values (${agent}, 'home', '3', 'team/shop', ${agent}, 12, 'issue', 't', 1, 1, 0, 0)`.execute(rows);
  }
  await delivery('told', 'webhook', 'routed');
  await delivery('told-again', 'webhook', 'duplicate', 'told');
  await delivery('unwanted', 'webhook', 'ignored');
  await delivery('looked', 'look', 'ignored');
  await delivery('forged', 'webhook', 'ignored');
  await delivery('replayed', 'replay', 'routed');
  await delivery('undecided', 'webhook', 'received');
  await key(EVENT.semanticKey, 'told');
  await key('3:issue.edited:issue:12:abc', 'unwanted');
  await key('3:ci.failed:look:13:abc', 'looked');
  await key('3:proof:comment:501:created', 'told');
  await message('m1', 'dev', 'told', EVENT);
  await message('m2', 'reviewer', 'told', EVENT);
  await message('m3', 'dev', 'replayed', REPLAYED);
  await message('m4', 'reviewer', 'replayed', REPLAYED);
}

async function migrated(open: (options: { migrated: boolean }) => Promise<TestDatabase>) {
  const database = await open({ migrated: false });
  const provider = { getMigrations: async () => migrations(database.dialect) };
  const { error } = await new Migrator({ db: database.rows, provider }).migrateTo('0018-instructions');
  if (error !== undefined) throw error;
  await before(database.rows);
  await migrate(database);
  return database;
}

describeDatabases('events of a database of the release before', (open) => {
  test('are rows afterwards, once each, and every delivery and message points at its own', async () => {
    const { rows } = await migrated(open);
    const events = await rows.selectFrom('events').selectAll().orderBy('seq').execute();
    expect(events.map(({ id, semantic_key, source, event }) => [id, semantic_key, source, event])).toEqual([
      ['told', EVENT.semanticKey, 'webhook', JSON.stringify(EVENT)],
      ['unwanted', '3:issue.edited:issue:12:abc', 'webhook', null],
      ['looked', '3:ci.failed:look:13:abc', 'look', null],
      ['replayed', null, 'replay', JSON.stringify(REPLAYED)],
    ]);
    const deliveries = await rows
      .selectFrom('deliveries')
      .select(['id', 'event_id'])
      .orderBy('seq')
      .execute();
    expect(deliveries.map(({ id, event_id }) => [id, event_id])).toEqual([
      ['told', 'told'],
      ['told-again', 'told'],
      ['unwanted', 'unwanted'],
      ['looked', 'looked'],
      ['forged', null],
      ['replayed', 'replayed'],
      ['undecided', null],
    ]);
    const messages = await rows.selectFrom('messages').select(['id', 'event_id']).orderBy('seq').execute();
    expect(messages.map(({ id, event_id }) => [id, event_id])).toEqual([
      ['m1', 'told'],
      ['m2', 'told'],
      ['m3', 'replayed'],
      ['m4', 'replayed'],
    ]);
    expect(await rows.selectFrom('event_proofs').selectAll().execute()).toEqual([
      { forge: 'home', proof: '3:comment:501:created', delivery_id: 'told' },
    ]);
  });

  test('are read as before: by messages, by explain, by whoever tells them again', async () => {
    const { rows } = await migrated(open);
    const place = { forge: 'home', repositoryId: '3', commentId: 777 };
    expect(await waitingOfComment(rows, place)).toEqual([
      { id: 'm3', number: 12 },
      { id: 'm4', number: 12 },
    ]);
    const summary = { repository: 'team/shop', item: '#12', title: 'Totals are wrong', sender: 'alice' };
    for (const id of ['told', 'told-again', 'unwanted', 'forged']) {
      expect((await explainDelivery(rows, id)).event, id).toEqual(summary);
    }
    expect(await explainDelivery(rows, 'looked')).toMatchObject({ event: null });
    const { id } = await acceptDelivery(rows, {
      ...{ forge: 'home', forgeDeliveryId: 'new', source: 'webhook', headers: {}, body: new Uint8Array() },
      event: { ...EVENT, item: null },
      now: 3,
    });
    expect(await eventOf(rows, (await findDelivery(rows, id))!)).toEqual(EVENT);
  });
});
