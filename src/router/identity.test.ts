/** Whose repository, whose comment, whose account: what a delivery claims, against what the forge says. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ASSIGNED, COMMENT, changed, ISSUE, type Json } from '../../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { type KnownForge, repositoryNamed, trustWith } from '../../test/support/trust.ts';
import { ForgeMissing, ForgeUnavailable } from '../errors.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { routeNext } from '../router.ts';
import type { Trust } from '../trust.ts';
import type { RepositoryRef } from '../vocabulary.ts';

const NOW = 1_800_000_000_000;
const CONFIG = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/*'),
  });
  return folder.load();
})();
const ID = String((changed(ASSIGNED, {}).repository as Json).id);

/** Repositories by id; `old` names lead to them. */
function forgeWith(repositories: Record<string, { name: string; old?: string }>) {
  const asked: string[] = [];
  const repository = (claimed: RepositoryRef) => {
    asked.push(`${claimed.id} ${claimed.fullName}`);
    const found = repositories[claimed.id];
    if (found === undefined) throw new ForgeMissing('There is no such repository.');
    const named = [found.name, found.old].includes(claimed.fullName);
    return { repository: repositoryNamed({ id: claimed.id, fullName: found.name }), named };
  };
  return { asked, repository };
}

function trusting(more: Partial<KnownForge>): Trust {
  return trustWith({ permissionOf: () => 'write', now: () => NOW, ...more });
}

async function route(database: TestDatabase, trust: Trust, eventType: string, body: Json, now = NOW) {
  const forgeDeliveryId = randomUUID();
  const { id } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: {
      'x-forgejo-delivery': forgeDeliveryId,
      'x-forgejo-event': eventType,
      'x-forgejo-event-type': eventType,
    },
    body: Buffer.from(JSON.stringify(body)),
    now,
  });
  await routeNext({ database, config: () => CONFIG, trust, now: () => now, log: silentLog });
  return await database.rows
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

const WRITTEN = ['events', 'items', 'conversations', 'messages', 'dispatches'] as const;
async function written(database: TestDatabase): Promise<number> {
  const counts = await Promise.all(
    WRITTEN.map(async (table) => (await database.rows.selectFrom(table).selectAll().execute()).length),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
const audit = async (database: TestDatabase) =>
  await database.rows.selectFrom('audit').select(['door', 'decision', 'action', 'reason']).execute();

function comment(fields: Json = {}): Json {
  const issue = changed(ISSUE, {}).issue as Json;
  const body = { 'comment.id': 601, 'comment.body': 'And in June?', issue, is_pull: false, ...fields };
  const { pull_request: _, ...onIssue } = changed(COMMENT, body);
  return onIssue;
}

describeDatabases('the repository of a delivery', (open) => {
  test.each([
    ['another repository with that id', { [ID]: { name: 'orchard/secret' } }],
    ['another repository that is listed, too', { [ID]: { name: 'orchard/apples' } }],
  ])('%s: nothing is written but the refusal', async (_, repositories) => {
    const database = await open();
    const trust = trusting(forgeWith(repositories));
    const delivery = await route(database, trust, 'issue_assign', changed(ASSIGNED, {}));
    expect(delivery).toMatchObject({
      state: 'ignored',
      reason: expect.stringMatching(/^not the repository it says: .*change the secret$/),
    });
    expect(delivery.reason).not.toMatch(/secret\b.*orchard\/secret|apples/);
    expect(await written(database)).toBe(0);
    expect(await audit(database)).toEqual([
      { door: 'trigger', decision: 'denied', action: 'issue.assigned', reason: delivery.reason },
    ]);
  });

  test('that none of our accounts sees is refused in words', async () => {
    const database = await open();
    const delivery = await route(database, trusting(forgeWith({})), 'issue_assign', changed(ASSIGNED, {}));
    expect(delivery.reason).toBe(
      `the delivery is about repository orchard/pears (id ${ID}), and none of our accounts on home can see a ` +
        "repository with that id. Add an agent's account to it if it is one of yours",
    );
    expect(await written(database)).toBe(0);
  });

  test('is listed by the name the forge gives it: an old name goes on under the new one', async () => {
    const database = await open();
    const old = changed(ASSIGNED, { 'repository.full_name': 'orchard/old-pears' });
    const trust = trusting(forgeWith({ [ID]: { name: 'orchard/pears', old: 'orchard/old-pears' } }));
    expect(await route(database, trust, 'issue_assign', old)).toMatchObject({ state: 'routed' });
    const [row] = await database.rows.selectFrom('conversations').select('repository_name').execute();
    expect(row).toEqual({ repository_name: 'orchard/pears' });
    const moved = trusting(forgeWith({ [ID]: { name: 'elsewhere/pears', old: 'orchard/pears' } }));
    const late = await route(database, moved, 'issue_comment', comment());
    expect(late.reason).toBe('repository elsewhere/pears is not listed; add it to forges.home.repositories');
  });

  test('is asked for once in five minutes, and again for a name that is new', async () => {
    const database = await open();
    const forge = forgeWith({ [ID]: { name: 'orchard/pears' } });
    const trust = trusting(forge);
    await route(database, trust, 'issue_assign', changed(ASSIGNED, {}));
    await route(database, trust, 'issue_comment', comment());
    expect(forge.asked).toHaveLength(1);
    const renamed = changed(ASSIGNED, { 'repository.full_name': 'orchard/plums' });
    await route(database, trust, 'issue_assign', renamed);
    await route(database, trust, 'issue_assign', renamed);
    expect(forge.asked).toEqual([`${ID} orchard/pears`, `${ID} orchard/plums`]);
  });

  test('is waited for while the forge cannot be asked', async () => {
    const database = await open();
    const repository = () => {
      throw new ForgeUnavailable('home is down. It is asked again later.');
    };
    const delivery = await route(database, trusting({ repository }), 'issue_assign', changed(ASSIGNED, {}));
    expect(delivery).toMatchObject({ state: 'received', attempts: 1 });
    expect(await written(database)).toBe(0);
  });
});

describeDatabases('a deletion', (open) => {
  const states = async (database: TestDatabase) =>
    (await database.rows.selectFrom('messages').select(['state']).orderBy('seq').execute()).map(
      (m) => m.state,
    );

  test('of a comment that the forge still has takes nothing back, and claims nothing', async () => {
    const database = await open();
    const trust = trusting({ comments: [601] });
    await route(database, trust, 'issue_assign', changed(ASSIGNED, {}));
    await route(database, trust, 'issue_comment', comment());
    const forged = await route(database, trust, 'issue_comment', comment({ action: 'deleted' }));
    expect(forged).toMatchObject({ state: 'ignored', reason: expect.stringMatching(/^not on the forge: /) });
    expect(await states(database)).toEqual(['waiting', 'waiting']);
    expect((await audit(database)).map((row) => row.action)).toEqual(['comment.deleted']);
    const real = await route(database, trusting({}), 'issue_comment', comment({ action: 'deleted' }));
    expect(real.state).toBe('routed');
    expect(await states(database)).toEqual(['waiting', 'declined']);
  });

  test('told of before the comment exists does not silence it', async () => {
    const database = await open();
    await route(database, trusting({}), 'issue_assign', changed(ASSIGNED, {}));
    await route(database, trusting({}), 'issue_comment', comment({ action: 'deleted' }));
    const created = await route(database, trusting({ comments: [601] }), 'issue_comment', comment());
    expect(created.state).toBe('routed');
  });
});

describeDatabases('a time to come', (open) => {
  test('does not make everything after it look old', async () => {
    const database = await open();
    const at = (updated_at: string, assignees: Json[]) =>
      changed(ASSIGNED, {
        'issue.updated_at': updated_at,
        'issue.assignee': null,
        'issue.assignees': assignees,
      });
    const somebody = { id: 99, login: 'somebody' };
    await route(database, trusting({}), 'issue_assign', at('2099-01-01T00:00:00Z', [somebody]));
    await route(database, trusting({}), 'issue_assign', at('2026-05-04T10:00:00Z', []));
    const [item] = await database.rows.selectFrom('items').select(['assignees', 'occurred_at']).execute();
    expect(item).toEqual({ assignees: '[]', occurred_at: '2026-05-04T10:00:00Z' });
  });
});
