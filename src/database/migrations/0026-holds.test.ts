/** Parks of the release before become holds, and what they had put off still waits for them. */
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { expect, test } from 'vitest';
import { describeDatabases } from '../../../test/support/databases.ts';
import { dispatchesIn } from '../../../test/support/mailbox.ts';
import { liftHold } from '../../mailbox/holds.ts';
import { migrate } from '../database.ts';
import { migrations } from '../migrations.ts';

const NOW = Date.now();
const LATER = NOW + 3_600_000;

describeDatabases('parks of the release before', (open) => {
  test('are holds afterwards; one that is over has ended', async () => {
    const database = await open({ migrated: false });
    const { rows } = database;
    const provider = { getMigrations: async () => migrations(database.dialect) };
    await new Migrator({ db: rows, provider }).migrateTo('0021-view-indexes');
    await sql`insert into parks (credential, until, why, at) values
      ('model', ${LATER}, 'usage limit', 5), ('model:opus', 7, 'overloaded', 6)`.execute(rows);
    await sql`insert into conversations (id, forge, repository_id, repository_name, agent, item_number, item_kind, title,
        created_at, updated_at, lease_token, lease_until)
      values ('c1', 'home', '3', 'team/shop', 'dev', 12, 'issue', 't', 1, 1, 0, 0),
        ('c2', 'home', '3', 'team/shop', 'dev', 13, 'issue', 't', 1, 1, 0, 0)`.execute(rows);
    await sql`insert into dispatches (id, conversation_id, agent, state, reason, priority, created_at, due_at, attempt,
        carried)
      values ('d1', 'c1', 'dev', 'parked', 'usage limit', 1, 1, ${LATER}, 1, '[]'),
        ('d2', 'c2', 'dev', 'parked', 'forge is away', 1, 1, ${LATER}, 1, '[]')`.execute(rows);
    await migrate(database);

    const holds = await rows.selectFrom('holds').selectAll().orderBy('scope').execute();
    expect(holds).toMatchObject([
      { scope: 'credential:model', label: 'model credential', until: LATER, reason: 'usage limit', at: 5 },
      { scope: 'credential:model:opus', label: 'model opus', until: 7, ended_at: 7 },
    ]);
    expect(holds[0]).toMatchObject({ kind: 'credential', by_kind: 'limit', ended_at: null });
    const [hold] = holds;
    expect((await dispatchesIn(rows)).map((d) => d.hold_id)).toEqual([hold!.id, null]);
    await liftHold(rows, { id: hold!.id, by: { kind: 'person', name: 'ada' }, now: NOW });
    expect((await dispatchesIn(rows)).map((d) => d.due_at)).toEqual([NOW, LATER]);
  });
});
