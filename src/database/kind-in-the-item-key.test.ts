import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { migrate } from './database.ts';
import { migrations } from './migrations.ts';

const LAST_BEFORE = '0018-instructions';
const AT = 1_700_000_000_000;

/** The columns of then: today's row types have others. */
async function insert(
  database: TestDatabase,
  table: string,
  row: Record<string, string | number | Uint8Array | null>,
): Promise<void> {
  const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)));
  await sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`.execute(
    database.rows,
  );
}

const KEY = { forge: 'home', repository_id: '3' };

function conversation(id: string, number: number, kind: string) {
  const lease = { lease_worker: 'w', lease_token: 7, lease_until: AT };
  const text = {
    repository_name: 'team/shop',
    title: `Title of ${id}`,
    branch: `dev/${number}`,
    seen: '{"5":{}}',
  };
  const times = { created_at: AT, updated_at: AT + 1 };
  return { id, ...KEY, agent: 'dev', item_number: number, item_kind: kind, ...text, ...times, ...lease };
}

function delivery(id: string, event: string | null, number: number | null) {
  const what = { event_name: event, repository_name: 'team/shop', item_number: number, sender_login: 'ada' };
  const stored = {
    source: 'webhook',
    headers: '{}',
    body: new Uint8Array(),
    received_at: AT,
    state: 'routed',
  };
  return {
    id,
    forge: 'home',
    forge_delivery_id: `f-${id}`,
    ...stored,
    ...what,
    attempts: 0,
    next_attempt_at: AT,
  };
}

/** An issue with a pull request that joined, one that joined and sent no event yet, and a pull request of its own. */
async function writtenBefore(database: TestDatabase): Promise<void> {
  const migrator = new Migrator({
    db: database.rows,
    provider: { getMigrations: async () => migrations(database.dialect) },
  });
  const { error } = await migrator.migrateTo(LAST_BEFORE);
  if (error !== undefined) throw error;
  await insert(database, 'conversations', conversation('of-issue', 5, 'issue'));
  await insert(database, 'conversations', conversation('of-pull', 9, 'pull'));
  for (const [number, conversationId] of [
    [5, 'of-issue'],
    [6, 'of-issue'],
    [7, 'of-issue'],
    [9, 'of-pull'],
  ] as const) {
    await insert(database, 'conversation_items', {
      ...KEY,
      number,
      agent: 'dev',
      conversation_id: conversationId,
    });
  }
  for (const [number, kind, head] of [
    [5, 'issue', null],
    [6, 'pull', 'c0ffee'],
  ] as const) {
    const sets = { labels: '["bug"]', assignees: '["dev-bot"]', occurred_at: '2026-01-02T03:04:05Z' };
    await insert(database, 'items', { ...KEY, number, kind, ...sets, head_sha: head, head_ref: null });
  }
  const of = { conversation_id: 'of-issue' };
  const run = { state: 'succeeded', priority: 50, created_at: AT, due_at: AT, attempt: 1, carried: '[]' };
  await insert(database, 'dispatches', { id: 'd', ...of, agent: 'dev', ...run });
  const message = { flow: 'f', skill: 's', parameters: '{}', priority: 50, event: '{}', state: 'answered' };
  await insert(database, 'messages', { id: 'm', ...of, delivery_id: 'in-issue', ...message, created_at: AT });
  const effect = { dispatch_id: 'd', key: 'd:comment', kind: 'comment', state: 'done', request: '{}' };
  await insert(database, 'effects', { id: 'e', ...of, ...effect, attempts: 1, created_at: AT });
  for (const [id, event, number] of [
    ['in-issue', 'issue.assigned', 5],
    ['in-comment', 'comment.created', 5],
    ['in-review', 'review.submitted', 6],
    ['in-pull', 'pull.closed', 6],
    ['in-push', 'push', null],
    ['in-nothing', null, null],
  ] as const) {
    await insert(database, 'deliveries', delivery(id, event, number));
  }
}

describeDatabases('the kind in the key of an item', (open) => {
  test('comes to a database of the release before, which keeps all its rows', async () => {
    const database = await open({ migrated: false });
    await writtenBefore(database);
    expect((await migrate(database)).applied).toContain('0020-kind-in-the-item-key');
    const { rows } = database;
    const found = await rows.selectFrom('conversations').selectAll().orderBy('id').execute();
    // Columns of later migrations are empty.
    const since = { fresh_asked: null };
    expect(found).toEqual([
      { ...conversation('of-issue', 5, 'issue'), ...since },
      { ...conversation('of-pull', 9, 'pull'), ...since },
    ]);
    const joined = await rows.selectFrom('conversation_items').selectAll().orderBy('number').execute();
    expect(joined.map((i) => [i.number, i.kind, i.conversation_id])).toEqual([
      [5, 'issue', 'of-issue'],
      [6, 'pull', 'of-issue'],
      [7, 'pull', 'of-issue'],
      [9, 'pull', 'of-pull'],
    ]);
    const items = await rows.selectFrom('items').selectAll().orderBy('number').execute();
    expect(items.map((i) => [i.number, i.kind, i.labels, i.assignees, i.head_sha, i.occurred_at])).toEqual([
      [5, 'issue', '["bug"]', '["dev-bot"]', null, '2026-01-02T03:04:05Z'],
      [6, 'pull', '["bug"]', '["dev-bot"]', 'c0ffee', '2026-01-02T03:04:05Z'],
    ]);
    const deliveries = await rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
    expect(deliveries.map((d) => [d.id, d.item_number, d.item_kind])).toEqual([
      ['in-issue', 5, 'issue'],
      // The name of a comment's event says no kind.
      ['in-comment', 5, null],
      ['in-review', 6, 'pull'],
      ['in-pull', 6, 'pull'],
      ['in-push', null, null],
      ['in-nothing', null, null],
    ]);
    for (const table of ['dispatches', 'messages', 'effects'] as const) {
      expect(await rows.selectFrom(table).select('conversation_id').execute()).toEqual([
        { conversation_id: 'of-issue' },
      ]);
    }
  });

  test('leaves what the keys promise: one of each, and nothing that points at nothing', async () => {
    const database = await open({ migrated: false });
    await writtenBefore(database);
    await migrate(database);
    const other = { ...conversation('of-pull-5', 5, 'pull'), item_kind: 'pull' as const };
    await database.rows.insertInto('conversations').values(other).execute();
    const twin = database.rows.insertInto('conversations').values({ ...other, id: 'twin' });
    await expect(twin.execute()).rejects.toThrow(/unique/i);
    const key = { ...KEY, number: 5, agent: 'dev' };
    const joining = (kind: 'issue' | 'pull', id: string) =>
      database.rows
        .insertInto('conversation_items')
        .values({ ...key, kind, conversation_id: id })
        .execute();
    await joining('pull', 'of-pull-5');
    await expect(joining('issue', 'of-pull-5')).rejects.toThrow(/unique/i);
    await expect(
      database.rows.deleteFrom('conversations').where('id', '=', 'of-issue').execute(),
    ).rejects.toThrow(/foreign key/i);
  });
});
