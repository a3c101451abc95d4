/** Labels as the recordings of real servers tell of them: no body names the change, and two kinds carry the old set. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fixture, type Json } from '../../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { trustWith } from '../../test/support/trust.ts';
import type { Item, TimelineEntry } from '../forges/forge.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { routeNext } from '../router.ts';
import type { ForgeEvent } from '../vocabulary.ts';

const NOW = Date.parse('2026-11-28T13:00:00Z');
const ADA = 3;
const MALLORY = 66;

/** Wakes the agent for each label that is put on. */
const CONFIG = (() => {
  const flow =
    '- { name: on-label, on: [issue.labeled], if: "size(event.added.labels) > 0", agent: dev, skill: work-on-issue }';
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('team/shop', 'owner/*'),
    'flows/labels.yaml': flow,
  });
  return folder.load();
})();

/** The labels of one issue, with the timeline that a forge keeps of them. */
class Labels {
  readonly on = new Set<string>();
  readonly entries: TimelineEntry[] = [];
  timeline = true;

  put(at: string, names: string[], by = ADA): void {
    this.#note('labeled', at, names, by);
    for (const name of names) this.on.add(name);
  }

  take(at: string, names: string[], by = ADA): void {
    this.#note('unlabeled', at, names, by);
    for (const name of names) this.on.delete(name);
  }

  #note(kind: 'labeled' | 'unlabeled', at: string, names: string[], by: number): void {
    const who = { id: by, login: by === ADA ? 'ada' : 'mallory' };
    for (const name of names) {
      this.entries.push({ id: this.entries.length + 1, kind, by: who, at, subjects: [name] });
    }
  }

  trust() {
    return trustWith({
      permissionOf: (login) => (login === 'ada' ? 'write' : 'read'),
      now: () => NOW,
      item: () => ({ labels: [...this.on], assignees: [] }) as unknown as Item,
      ...(this.timeline
        ? {
            timeline: (since) =>
              this.entries.filter(({ at }) => since === null || Date.parse(at) >= Date.parse(since)),
          }
        : {}),
    });
  }
}

interface Sent {
  headers: Record<string, string>;
  body: Json;
}

const recorded = (name: string): Sent => fixture(name) as Sent;

/** Of the first recording, with these words. */
function like(
  name: string,
  { action, at, labels, by = ADA }: { action?: string; at: string; labels: string[]; by?: number },
): Sent {
  const { headers, body } = recorded(name);
  const issue = { ...body.issue, updated_at: at, labels: labels.map((label, id) => ({ id, name: label })) };
  const sender = { ...body.sender, id: by, login: by === ADA ? 'ada' : 'mallory' };
  return { headers, body: { ...body, action: action ?? body.action, issue, sender } };
}

/** The labels that the delivery woke the agent for. */
async function route(database: TestDatabase, labels: Labels, { headers, body }: Sent): Promise<string[]> {
  const forgeDeliveryId = randomUUID();
  const names = Object.keys(headers).filter((name) => name.endsWith('-delivery'));
  const { id } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: { ...headers, ...Object.fromEntries(names.map((name) => [name, forgeDeliveryId])) },
    body: Buffer.from(JSON.stringify(body)),
    now: NOW,
  });
  const deps = { database, config: () => CONFIG, trust: labels.trust(), now: () => NOW, log: silentLog };
  await routeNext(deps);
  const found = await database.rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select('e.event')
    .where('m.delivery_id', '=', id)
    .execute();
  return found.flatMap(({ event }) => (JSON.parse(event!) as ForgeEvent).added.labels).toSorted();
}

describe.each([true, false])('with a timeline of the forge: %s', (timeline) => {
  const open = async () => {
    const labels = new Labels();
    labels.timeline = timeline;
    return { database: await openSqlite(), labels };
  };

  test('Forgejo: after a clear, a label that comes again wakes again', async () => {
    const { database, labels } = await open();
    labels.put('2026-11-28T12:08:11Z', ['bug', 'docs', 'later']);
    const put = recorded('forgejo-16/issue-labels-put-three');
    expect(await route(database, labels, put)).toEqual(['bug', 'docs', 'later']);
    labels.take('2026-11-28T12:08:13Z', ['docs']);
    expect(await route(database, labels, recorded('forgejo-16/issue-label-removed'))).toEqual([]);
    labels.take('2026-11-28T12:08:16Z', ['bug', 'later']);
    // Its body has the labels that were there.
    expect(await route(database, labels, recorded('forgejo-16/issue-labels-cleared'))).toEqual([]);
    labels.put('2026-11-28T12:08:30Z', ['bug']);
    const again = like('forgejo-16/issue-label-removed', { at: '2026-11-28T12:08:30Z', labels: ['bug'] });
    expect(await route(database, labels, again)).toEqual(['bug']);
  });

  test('Gitea: a PUT whose body has the old set, a clear, and a label again', async () => {
    const { database, labels } = await open();
    labels.put('2026-11-28T11:44:16Z', ['bug', 'feature', 'wontfix']);
    const put = recorded('gitea-1.26/0014-issue_label-label_updated');
    expect(put.body.issue.labels).toEqual([]);
    expect(await route(database, labels, put)).toEqual(['bug', 'feature', 'wontfix']);
    labels.take('2026-11-28T11:44:19Z', ['bug', 'feature', 'wontfix']);
    expect(await route(database, labels, recorded('gitea-1.26/0015-issue_label-label_cleared'))).toEqual([]);
    labels.put('2026-11-28T11:44:22Z', ['bug', 'feature']);
    const added = recorded('gitea-1.26/0017-issue_label-label_updated');
    expect(await route(database, labels, added)).toEqual(['bug', 'feature']);
    // PUT of one of two, told with both.
    labels.take('2026-11-28T11:44:25Z', ['bug']);
    const one = like('gitea-1.26/0014-issue_label-label_updated', {
      at: '2026-11-28T11:44:25Z',
      labels: ['bug', 'feature'],
    });
    expect(await route(database, labels, one)).toEqual([]);
    labels.put('2026-11-28T11:44:28Z', ['bug']);
    const back = like('gitea-1.26/0014-issue_label-label_updated', {
      at: '2026-11-28T11:44:28Z',
      labels: ['feature'],
    });
    expect(await route(database, labels, back)).toEqual(['bug']);
  });
});

describe('told late', () => {
  const sent = (o: Parameters<typeof like>[1]) => like('forgejo-16/issue-label-removed', o);

  test('a label that was taken off and put on before anybody looked wakes once', async () => {
    const database = await openSqlite();
    const labels = new Labels();
    labels.put('2026-11-28T12:00:00Z', ['bug']);
    expect(await route(database, labels, sent({ at: '2026-11-28T12:00:00Z', labels: ['bug'] }))).toEqual([
      'bug',
    ]);
    labels.take('2026-11-28T12:00:05Z', ['bug']);
    labels.put('2026-11-28T12:00:07Z', ['bug']);
    const both = [
      await route(database, labels, sent({ at: '2026-11-28T12:00:05Z', labels: [] })),
      await route(database, labels, sent({ at: '2026-11-28T12:00:07Z', labels: ['bug'] })),
    ];
    expect(both).toEqual([['bug'], []]);
  });

  test('what one person put on is not counted for another, whose delivery is looked at first', async () => {
    const database = await openSqlite();
    const labels = new Labels();
    labels.put('2026-11-28T12:00:00Z', ['later'], MALLORY);
    labels.put('2026-11-28T12:00:02Z', ['bug']);
    const mallory = sent({ at: '2026-11-28T12:00:00Z', labels: ['later'], by: MALLORY });
    expect(await route(database, labels, mallory)).toEqual([]);
    expect(
      await route(database, labels, sent({ at: '2026-11-28T12:00:02Z', labels: ['later', 'bug'] })),
    ).toEqual(['bug']);
  });

  test('a label that another label follows wakes for each once', async () => {
    const database = await openSqlite();
    const labels = new Labels();
    // The forge notes the entry a second after the time that the body has.
    labels.put('2026-11-28T12:00:01Z', ['bug']);
    expect(await route(database, labels, sent({ at: '2026-11-28T12:00:00Z', labels: ['bug'] }))).toEqual([
      'bug',
    ]);
    labels.put('2026-11-28T12:00:03Z', ['docs']);
    expect(
      await route(database, labels, sent({ at: '2026-11-28T12:00:03Z', labels: ['bug', 'docs'] })),
    ).toEqual(['docs']);
  });
});
