import { describe, expect, test } from 'vitest';
import { openSqlite, type TestDatabase } from '../test/support/databases.ts';
import { edge, HOME, signed } from '../test/support/edge.ts';
import { NOW, waitingOn } from '../test/support/mailbox.ts';
import { samplesOf } from '../test/support/metrics.ts';
import { FAMILIES, type FamilyName } from './metrics/families.ts';

/** As the service asks: a read of the rows. */
const readsRows = (database: TestDatabase) => async (): Promise<string | null> => {
  try {
    await database.rows.selectFrom('deliveries').select('id').limit(1).execute();
    return null;
  } catch (error) {
    return `the database does not answer: ${String(error)}`;
  }
};

describe('health', () => {
  test('is fine as long as the process answers', async () => {
    const database = await openSqlite();
    const { app } = edge(database);
    await database.close();
    const answer = await app.request('/healthz');
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  });

  test('readiness ends with the database', async () => {
    const database = await openSqlite();
    const { app } = edge(database, { notReady: readsRows(database) });
    const ready = await app.request('/readyz');
    expect([ready.status, await ready.text()]).toEqual([200, 'ready\n']);
    await database.close();
    const gone = await app.request('/readyz');
    expect(gone.status).toBe(503);
    expect(await gone.text()).toMatch(/^the database does not answer: .+\n$/);
  });
});

describe('metrics', () => {
  const REQUESTS = 'claude_hooks_webhook_requests_total';

  test('count requests by forge and outcome; a path is no label', async () => {
    const database = await openSqlite();
    const { app, post } = edge(database);
    const twice = () => signed('{}', { deliveryId: 'same' });
    await post(twice());
    await post(twice());
    await post(signed('{}', { secret: 'a guess' }));
    for (const path of ['/webhooks/elsewhere', '/webhooks/other%22%7D%201', '/webhooks/toString']) {
      await post(signed('{}'), path);
    }
    await post(signed('{}'), '/webhooks/home/deeper');
    const answer = await app.request('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const requests = samplesOf(await answer.text()).filter((sample) => sample.name === REQUESTS);
    const counted = requests.map(({ labels, value }) => [labels.forge, labels.outcome, value]);
    expect(counted.sort()).toEqual([
      ['home', 'accepted', 1],
      ['home', 'repeated', 1],
      ['home', 'signature-wrong', 1],
      ['unknown', 'unknown-forge', 3],
    ]);
  });

  test('are read from the rows when asked', async () => {
    const database = await openSqlite();
    const { app, post } = edge(database);
    const gauges = async () =>
      samplesOf(await (await app.request('/metrics')).text())
        .filter(({ name, value }) => FAMILIES[name as FamilyName]?.from === 'rows' && value > 0)
        .map(({ name, labels, value }) => `${name} ${Object.values(labels).join()} ${value}`);
    expect(await gauges()).toEqual([]);
    await post(signed('{}'));
    await waitingOn(database.rows);
    await database.rows.updateTable('dispatches').set({ continuity: 'resumed', started_at: NOW }).execute();
    expect(await gauges()).toEqual([
      'claude_hooks_deliveries received 1',
      'claude_hooks_messages waiting 1',
      'claude_hooks_conversations waiting 1',
      'claude_hooks_dispatches queued 1',
      'claude_hooks_dispatch_continuity resumed 1',
    ]);
    await database.rows.deleteFrom('deliveries').execute();
    expect(await gauges()).not.toContain('claude_hooks_deliveries received 1');
  });

  test('say 503 in their own words when the rows are gone', async () => {
    const database = await openSqlite();
    const { app } = edge(database);
    await database.close();
    const answer = await app.request('/metrics');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      error: 'internal',
      message: 'This could not be answered. See the service’s log.',
    });
  });
});

describe('everything else', () => {
  test.each(['/', '/webhooks', '/webhooks/', '/webhooks/home/deeper', '/etc/passwd'])(
    '%s is nowhere',
    async (path) => {
      const { app } = edge(await openSqlite());
      const answer = await app.request(path, { method: 'POST' });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({
        error: 'not-found',
        message: 'Nothing is here. Forges post to /webhooks/<name of the forge>.',
      });
    },
  );

  test('a line break in a path stays out of the log', async () => {
    const { post, logged } = edge(await openSqlite());
    await post(signed('{}'), '/webhooks/x%0Aerror:%20made%20up');
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain('\n');
  });

  test('a forge taken out of the configuration is unknown from then on', async () => {
    let forges: Record<string, typeof HOME> = { home: HOME };
    const { post } = edge(await openSqlite(), { forges: () => forges });
    expect((await post(signed('{}'))).status).toBe(202);
    forges = {};
    expect((await post(signed('{}'))).status).toBe(404);
  });
});
