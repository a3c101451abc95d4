/**
 * An hour in which no webhook arrives, with every kind of event, on both databases: after the start each is taken in once,
 * and the webhooks that come late are duplicates. The same with a forge that answers 429 and 500 in between.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeDatabases, type TestDatabase } from '../test/support/databases.ts';
import { type Played, playHour } from '../test/support/eventful-hour.ts';
import { type ReconcilingStage, reconcilingStage, START, type Trouble } from '../test/support/reconciling.ts';
import { EVENT_NAMES, type ForgeEvent } from './vocabulary.ts';

let stage: ReconcilingStage;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(async () => {
  vi.useRealTimers();
  await stage.end();
});

async function eventsIn({ rows }: TestDatabase): Promise<(ForgeEvent & { source: string })[]> {
  const found = await rows.selectFrom('events').select(['event', 'source']).orderBy('seq').execute();
  return found.map(({ event, source }) => ({ ...(JSON.parse(event!) as ForgeEvent), source }));
}

async function deliveriesIn({ rows }: TestDatabase) {
  return await rows
    .selectFrom('deliveries')
    .select(['source', 'state', 'reason', 'event_name', 'item_number'])
    .orderBy('seq')
    .execute();
}

/** Flow and happening of each message. */
async function messagesIn({ rows }: TestDatabase): Promise<string[]> {
  const found = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select(['m.flow', 'e.semantic_key'])
    .orderBy('m.seq')
    .execute();
  return found.map(({ flow, semantic_key }) => `${flow} ${semantic_key}`);
}

/** Everything but pushes, comments that are gone, and on Gitea runs, which it tells by statuses as well. */
async function expectOnce(database: TestDatabase, played: Played, kind: 'forgejo' | 'gitea'): Promise<void> {
  const found = await eventsIn(database);
  expect(found.every(({ source }) => source === 'reconciled')).toBe(true);
  const names = new Set(found.map(({ name }) => name));
  const untold = ['push', 'comment.edited', 'comment.deleted', 'issue.edited'];
  expect(EVENT_NAMES.filter((name) => !names.has(name))).toEqual(
    EVENT_NAMES.filter((name) => untold.includes(name) && !names.has(name)),
  );
  expect(found.length).toBeGreaterThan(35);
  const woken = await messagesIn(database);
  expect(new Set(woken).size).toBe(woken.length);

  await stage.deliverLate(database);
  const late = (await deliveriesIn(database)).filter(({ source }) => source === 'webhook');
  expect(late.length).toBeGreaterThan(45);
  const others = late.filter(({ state }) => state !== 'duplicate');
  const isAllowed = (name: string | null, number: number | null, reason: string | null) =>
    name === 'push' ||
    name === null ||
    (kind === 'gitea' && name.startsWith('ci.')) ||
    // The deleted comment, and its deletion: nothing on the forge told of either.
    (number === played.issues[0] && /^comment\./.test(name) && reason !== null);
  expect(others.filter((o) => !isAllowed(o.event_name, o.item_number, o.reason))).toEqual([]);
  expect(await messagesIn(database)).toEqual(woken);
}

/** Steps until a look has come to its end; answers the fake milliseconds that took. */
async function catchUp(database: TestDatabase): Promise<number> {
  const began = stage.clock.now;
  const reconciler = stage.reconciler(database);
  for (let n = 0; n < 50; n++) {
    const wait = await reconciler.step();
    const last = stage.looks.at(-1);
    if (last !== undefined && (last.outcome === 'found' || last.outcome === 'nothing')) break;
    stage.set(stage.clock.now + wait);
  }
  await stage.route(database);
  return stage.clock.now - began;
}

describeDatabases('an hour without webhooks', (open, dialect) => {
  const kind = dialect === 'sqlite' ? 'forgejo' : 'gitea';

  test('each event is taken in once after the start, late webhooks are duplicates, and a second look finds nothing', async () => {
    stage = await reconcilingStage({ kind });
    const database = await open();
    expect(await stage.reconciler(database).step()).toBeGreaterThan(0);
    expect(stage.looks).toMatchObject([{ outcome: 'begun' }]);
    stage.hour.tick();
    const played = await playHour(stage.hour);
    stage.looks.length = 0;

    const realBefore = performance.now();
    const waited = await catchUp(database);
    expect(waited + performance.now() - realBefore).toBeLessThan(60_000);
    expect(stage.looks.map(({ outcome }) => outcome)).toEqual(['found']);
    const lines = stage.logged.filter((line) => line.includes('caught up on'));
    expect(lines).toHaveLength(1);
    const before = await eventsIn(database);

    await catchUp(database);
    expect((await eventsIn(database)).length).toBe(before.length);
    await expectOnce(database, played, kind);
  });

  test('a forge that answers 429 and 500 in between is given its time, and nothing is lost or doubled', async () => {
    stage = await reconcilingStage({ kind });
    const database = await open();
    await stage.reconciler(database).step();
    stage.hour.tick();
    const played = await playHour(stage.hour);
    stage.looks.length = 0;

    const waits: number[] = [];
    stage.trouble = everyThird(waits);
    const waited = await catchUp(database);
    stage.trouble = null;
    expect(stage.looks.filter(({ outcome }) => outcome === 'postponed').length).toBeGreaterThan(2);
    expect(stage.looks.every(({ outcome, until }) => outcome !== 'postponed' || until! > START)).toBe(true);
    expect(waited).toBeGreaterThanOrEqual(waits.reduce((a, b) => a + b, 0) * 1000);
    await catchUp(database);
    await expectOnce(database, played, kind);
  });
});

/** Fails now and then, in turn by a limit that ends in some seconds and by a fault, and lets more through each time. */
function everyThird(waits: number[]): Trouble {
  let asked = 0;
  let limit = 3;
  return () => {
    asked += 1;
    if (asked < limit) return null;
    asked = 0;
    limit += 4;
    if (waits.length % 2 === 1) {
      waits.push(0);
      return new Response('{"message":"oops"}', { status: 500 });
    }
    waits.push(7);
    return new Response('{"message":"slow down"}', { status: 429, headers: { 'retry-after': '7' } });
  };
}
