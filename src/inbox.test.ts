import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../test/support/databases.ts';
import { commentEvent } from '../test/support/sample-events.ts';
import type { Rows } from './database/database.ts';
import type { DialectName } from './database/dialect.ts';
import type { DeliveryRow } from './database/tables.ts';
import { Ambiguous } from './errors.ts';
import { eventOf, firstEvent, storeEvent } from './inbox/events.ts';
import {
  acceptDelivery,
  type DeliveryResult,
  findDelivery,
  holdRouting,
  isUndecided,
  type NewDelivery,
  nextDelivery,
  postponeDelivery,
  settleDelivery,
} from './inbox.ts';

const NOW = 1_000_000;
const EVENT = commentEvent('hello');

function delivery(forgeDeliveryId: string, partial: Partial<NewDelivery> = {}): NewDelivery {
  return {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: { 'x-forgejo-event': 'issues' },
    body: Buffer.from('{"action":"opened"}'),
    now: NOW,
    ...partial,
  };
}

const accept = async (rows: Rows, id: string, partial?: Partial<NewDelivery>): Promise<string> =>
  (await acceptDelivery(rows, delivery(id, partial))).id;

async function claimDelivery(tx: Rows, dialect: DialectName, id: string): Promise<boolean> {
  await holdRouting(tx, dialect);
  return await isUndecided(tx, id);
}

async function claim(database: TestDatabase, now = NOW): Promise<DeliveryRow | undefined> {
  const next = await nextDelivery(database.rows, now);
  if (next === undefined) return undefined;
  const isClaimed = await database.transaction((tx) => claimDelivery(tx, database.dialect, next.id));
  return isClaimed ? next : undefined;
}

async function settle(rows: Rows, id: string, result: DeliveryResult): Promise<void> {
  await settleDelivery(rows, {
    id,
    result,
    eventId: null,
    about: null,
    eventName: 'issue.opened',
    decision: { flows: [] },
    now: NOW + 5,
  });
}

describeDatabases('accepting deliveries', (open) => {
  test('keeps the bytes and headers as they came', async () => {
    const { rows } = await open();
    const body = Uint8Array.from({ length: 256 }, (_, i) => i);
    const id = await accept(rows, 'd1', { body });
    const row = await findDelivery(rows, id);
    expect(Buffer.from(row!.body)).toEqual(Buffer.from(body));
    expect(row).toMatchObject({ state: 'received', attempts: 0, received_at: NOW, next_attempt_at: NOW });
    expect(JSON.parse(row!.headers)).toEqual({ 'x-forgejo-event': 'issues' });
  });

  test('twenty at once with one delivery id are one', async () => {
    const { rows } = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => acceptDelivery(rows, delivery('d1'))));
    expect(answers.filter((a) => a.kind === 'accepted')).toHaveLength(1);
    expect(new Set(answers.map((a) => a.id)).size).toBe(1);
    expect(await rows.selectFrom('deliveries').select('id').execute()).toEqual([{ id: answers[0]!.id }]);
  });

  test('the same id from two forges is two deliveries', async () => {
    const { rows } = await open();
    await accept(rows, 'd1');
    expect((await acceptDelivery(rows, delivery('d1', { forge: 'work' }))).kind).toBe('accepted');
  });
});

describeDatabases('accepting what was learned without a request', (open) => {
  const learned = { headers: {}, event: EVENT };

  test('stores the event with the delivery, and nobody has to read a body', async () => {
    const { rows } = await open();
    const id = await accept(rows, 'd1', { ...learned, source: 'replay' });
    const row = (await findDelivery(rows, id))!;
    expect(row).toMatchObject({ source: 'replay', state: 'received', headers: '{}' });
    expect(await eventOf(rows, row)).toEqual(EVENT);
  });

  test('twice is one event with two deliveries, but a replay tells it again', async () => {
    const { rows } = await open();
    const sources = ['webhook', 'look', 'replay', 'replay'] as const;
    const events: (string | null)[] = [];
    for (const source of sources) {
      const id = await accept(rows, `d${events.length}`, { ...learned, source });
      events.push((await findDelivery(rows, id))!.event_id);
    }
    expect(events[1]).toBe(events[0]);
    expect(new Set(events).size).toBe(3);
    const stored = await rows
      .selectFrom('events')
      .select(['source', 'semantic_key'])
      .orderBy('seq')
      .execute();
    expect(stored).toEqual([
      { source: 'webhook', semantic_key: EVENT.semanticKey },
      { source: 'replay', semantic_key: null },
      { source: 'replay', semantic_key: null },
    ]);
  });
});

describeDatabases('claiming deliveries', (open) => {
  test('answers them in the order of acceptance, until there are none', async () => {
    const database = await open();
    const ids = [
      await accept(database.rows, 'z'),
      await accept(database.rows, 'a'),
      await accept(database.rows, 'm'),
    ];
    for (const id of ids) {
      expect((await claim(database))?.id).toBe(id);
      await settle(database.rows, id, { state: 'routed' });
    }
    expect(await claim(database)).toBeUndefined();
  });

  test('hands each to one of many routers', async () => {
    const database = await open();
    for (let i = 0; i < 10; i++) await accept(database.rows, `d${i}`);
    const routed: string[] = [];
    const router = async (): Promise<void> => {
      for (;;) {
        const next = await nextDelivery(database.rows, NOW);
        if (next === undefined) return;
        await database.transaction(async (tx) => {
          if (!(await claimDelivery(tx, database.dialect, next.id))) return;
          await settle(tx, next.id, { state: 'routed' });
          routed.push(next.forge_delivery_id);
        });
      }
    };
    await Promise.all([router(), router(), router(), router()]);
    expect(routed).toEqual(Array.from({ length: 10 }, (_, i) => `d${i}`));
  });

  test('an event belongs to one of twenty that tell it at once', async () => {
    const database = await open();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        database.transaction((tx) =>
          storeEvent(tx, { event: EVENT, source: 'webhook', deliveryId: `delivery-${i}` }),
        ),
      ),
    );
    const winner = answers.findIndex(({ isFirst }) => isFirst);
    expect(answers.filter(({ isFirst }) => isFirst)).toHaveLength(1);
    expect(await firstEvent(database.rows, EVENT)).toEqual({
      id: answers[winner]!.id,
      delivery_id: `delivery-${winner}`,
    });
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  });

  test('an event stored in a transaction that failed can be stored again', async () => {
    const database = await open();
    const learned = { event: EVENT, source: 'webhook' } as const;
    const failing = database.transaction(async (tx) => {
      await storeEvent(tx, { ...learned, deliveryId: 'first' });
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    const again = await storeEvent(database.rows, { ...learned, deliveryId: 'second' });
    expect(again.isFirst).toBe(true);
  });
});

describeDatabases('settling deliveries', (open) => {
  test.each<[DeliveryResult, Partial<DeliveryRow>]>([
    [{ state: 'routed' }, { reason: null, duplicate_of: null }],
    [
      { state: 'ignored', reason: 'no flow' },
      { reason: 'no flow', duplicate_of: null },
    ],
    [
      { state: 'duplicate', of: 'other' },
      { reason: null, duplicate_of: 'other' },
    ],
    [
      { state: 'failed', reason: 'not JSON' },
      { reason: 'not JSON', duplicate_of: null },
    ],
  ])('stores %o', async (result, expected) => {
    const { rows } = await open();
    const id = await accept(rows, 'd1');
    await settle(rows, id, result);
    expect(await findDelivery(rows, id)).toMatchObject({
      ...expected,
      state: result.state,
      event_name: 'issue.opened',
      decision: '{"flows":[]}',
      decided_at: NOW + 5,
    });
  });

  test('decides once: a later result changes nothing', async () => {
    const { rows } = await open();
    const id = await accept(rows, 'd1');
    await settle(rows, id, { state: 'routed' });
    await settle(rows, id, { state: 'ignored', reason: 'late' });
    expect(await findDelivery(rows, id)).toMatchObject({ state: 'routed', reason: null });
  });
});

describeDatabases('postponing deliveries', (open) => {
  test('waits longer each time, and gives up visibly after the fifth', async () => {
    const database = await open();
    const id = await accept(database.rows, 'd1');
    let now = NOW;
    for (const seconds of [1, 5, 30, 120]) {
      const failure = { delivery: (await claim(database, now))!, reason: 'database away', now };
      expect(await postponeDelivery(database.rows, failure)).toBe('postponed');
      expect(await claim(database, now + seconds * 1000 - 1)).toBeUndefined();
      now += seconds * 1000;
    }
    const last = { delivery: (await claim(database, now))!, reason: 'database away', now };
    expect(await postponeDelivery(database.rows, last)).toBe('failed');
    expect(await claim(database, now + 1e9)).toBeUndefined();
    expect(await findDelivery(database.rows, id)).toMatchObject({
      state: 'failed',
      reason: 'database away',
      attempts: 5,
      decided_at: now,
    });
  });

  test('does not hold up the others', async () => {
    const database = await open();
    await accept(database.rows, 'broken');
    const good = await accept(database.rows, 'good');
    await postponeDelivery(database.rows, { delivery: (await claim(database))!, reason: 'x', now: NOW });
    expect((await claim(database))?.id).toBe(good);
  });
});

describeDatabases('finding a delivery', (open) => {
  test('by our id, by the forge’s id, and by the beginning of either', async () => {
    const { rows } = await open();
    const id = await accept(rows, 'aaaaaa11-2222');
    await accept(rows, 'bbbbbb11-2222');
    for (const reference of [id, id.slice(0, 8), 'aaaaaa11-2222', 'aaaaaa']) {
      expect((await findDelivery(rows, reference))?.id, reference).toBe(id);
    }
  });

  test('answers nothing when the beginning is short or unknown, and names those that an ambiguous one begins', async () => {
    const { rows } = await open();
    const ids = [await accept(rows, 'same-beginning-1'), await accept(rows, 'same-beginning-2')];
    for (const reference of ['same-', 'elsewhere', '']) {
      expect(await findDelivery(rows, reference), reference).toBeUndefined();
    }
    const several: unknown = await findDelivery(rows, 'same-beginning').catch((error: unknown) => error);
    expect(several).toBeInstanceOf(Ambiguous);
    expect((several as Ambiguous).candidates.map((c) => c.id)).toEqual(ids.toReversed());
    expect((await findDelivery(rows, 'same-beginning-1'))?.forge_delivery_id).toBe('same-beginning-1');
  });

  test('takes every letter as itself', async () => {
    const { rows } = await open();
    await accept(rows, 'abc_defgh');
    for (const reference of ['%%%%%%', '______', 'abcxdef', 'ABC_DEF', 'abcdefg']) {
      expect(await findDelivery(rows, reference), reference).toBeUndefined();
    }
    expect((await findDelivery(rows, 'abc_de'))?.forge_delivery_id).toBe('abc_defgh');
  });
});
