/**
 * An hour in which no webhook arrives, with every kind of event, on both databases: after the start each is taken in once,
 * and the webhooks that come late are duplicates. The same with a forge that answers 429 and 500 in between.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { REPO } from '../rehearsal/pocket-forge-trial.ts';
import { describeDatabases, type TestDatabase } from '../test/support/databases.ts';
import { playBefore, playHour, playOnKnown } from '../test/support/eventful-hour.ts';
import { type ReconcilingStage, reconcilingStage, START, type Trouble } from '../test/support/reconciling.ts';
import { armFault, FAULT_POINTS } from './faults.ts';
import { EVENT_NAMES, type ForgeEvent } from './vocabulary.ts';

let stage: ReconcilingStage;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(async () => {
  armFault(null);
  vi.useRealTimers();
  await stage.end();
});

async function eventsIn({ rows }: TestDatabase): Promise<(ForgeEvent & { source: string })[]> {
  const found = await rows.selectFrom('events').select(['event', 'source']).orderBy('seq').execute();
  return found.map(({ event, source }) => ({ ...(JSON.parse(event!) as ForgeEvent), source }));
}

async function deliveriesIn({ rows }: TestDatabase) {
  const found = await rows
    .selectFrom('deliveries as d')
    .leftJoin('events as e', 'e.id', 'd.event_id')
    .select(['d.source', 'd.state', 'd.reason', 'd.event_name', 'd.item_number', 'e.event'])
    .orderBy('d.seq')
    .execute();
  return found.map(({ event, ...delivery }) => ({
    ...delivery,
    comment: event === null ? null : ((JSON.parse(event) as ForgeEvent).comment?.id ?? null),
  }));
}

/** Flow and happening of each message. */
async function messagesIn({ rows }: TestDatabase): Promise<string[]> {
  const found = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select(['m.flow', 'e.semantic_key'])
    .where('m.state', '!=', 'declined')
    .orderBy('m.seq')
    .execute();
  return found.map(({ flow, semantic_key }) => `${flow} ${semantic_key}`);
}

/** So many happenings the hour has at least, of every kind that a look can tell. */
const HAPPENINGS = 50;

/** Each was taken in once, was decided once, and its webhook is a duplicate, however late. */
async function expectOnce(database: TestDatabase, hour: Lived, kind: 'forgejo' | 'gitea'): Promise<void> {
  const found = (await eventsIn(database)).slice(hour.before);
  expect(found.every(({ source }) => source === 'reconciled')).toBe(true);
  expect(found.length).toBeGreaterThanOrEqual(HAPPENINGS);
  const names = new Set(found.map(({ name }) => name));
  // A push wakes nobody, and is not looked for; the new commits of a pull request are.
  expect(EVENT_NAMES.filter((name) => !names.has(name))).toEqual(['push']);
  const looked = (await deliveriesIn(database)).filter(({ source }) => source === 'reconciled');
  expect(looked.length).toBe(found.length);
  expect(looked.filter(({ state }) => state === 'received')).toEqual([]);
  const woken = await messagesIn(database);
  expect(new Set(woken).size).toBe(woken.length);

  const known = (await deliveriesIn(database)).length;
  await stage.deliver(database);
  const late = (await deliveriesIn(database)).slice(known);
  expect(late.length).toBeGreaterThan(HAPPENINGS);
  const others = late.filter(({ state }) => state !== 'duplicate');
  const isAllowed = ({ event_name: name, comment }: (typeof late)[number]) =>
    name === 'push' ||
    name === null ||
    // It tells a run twice, and a look finds its statuses.
    (kind === 'gitea' && name.startsWith('ci.')) ||
    // Written and deleted within the hour: nothing on the forge told of either.
    comment === hour.gone;
  expect(others.filter((one) => !isAllowed(one))).toEqual([]);
  expect(await messagesIn(database)).toEqual(woken);
  const duplicates = new Set(late.filter(({ state }) => state === 'duplicate').map((one) => one.event_name));
  // Of every kind, at least one webhook came late.
  expect([...names].filter((name) => !duplicates.has(name))).toEqual([]);
}

interface Lived {
  /** events that were told before it */
  before: number;
  /** a comment that was written and deleted within it */
  gone: number;
}

/** What is told by webhooks, then the hour in which nothing is. */
async function live(database: TestDatabase): Promise<Lived> {
  await stage.reconciler(database).step();
  expect(stage.looks).toMatchObject([{ outcome: 'begun' }]);
  stage.hour.tick();
  const known = await playBefore(stage.hour);
  await stage.deliver(database);
  const before = (await eventsIn(database)).length;
  const { deleted } = await playHour(stage.hour);
  await playOnKnown(stage.hour, known);
  stage.looks.length = 0;
  return { before, gone: deleted };
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
    const hour = await live(database);

    const realBefore = performance.now();
    const waited = await catchUp(database);
    expect(waited + performance.now() - realBefore).toBeLessThan(60_000);
    expect(stage.looks.map(({ outcome }) => outcome)).toEqual(['found']);
    const lines = stage.logged.filter((line) => line.includes('caught up on'));
    expect(lines).toHaveLength(1);
    const before = await eventsIn(database);

    await catchUp(database);
    expect((await eventsIn(database)).length).toBe(before.length);
    await expectOnce(database, hour, kind);
  });

  test('a forge that answers 429 and 500 in between is given its time, and nothing is lost or doubled', async () => {
    stage = await reconcilingStage({ kind });
    const database = await open();
    const hour = await live(database);

    const realBefore = performance.now();
    const waits: number[] = [];
    stage.trouble = inBetween(waits);
    const waited = await catchUp(database);
    expect(waited + performance.now() - realBefore).toBeLessThan(60_000);
    stage.trouble = null;
    expect(waits).toEqual([7, 0, 7]);
    expect(stage.looks.filter(({ outcome }) => outcome === 'postponed')).toHaveLength(waits.length);
    expect(stage.looks.every(({ outcome, until }) => outcome !== 'postponed' || until! > START)).toBe(true);
    expect(waited).toBeGreaterThanOrEqual(waits.reduce((a, b) => a + b, 0) * 1000);
    await catchUp(database);
    await expectOnce(database, hour, kind);
  });
});

describeDatabases('a quiet day', (open, dialect) => {
  test.skipIf(dialect === 'postgres')('costs at most three requests a look', async () => {
    stage = await reconcilingStage({ more: 12 });
    const database = await open();
    const reconciler = stage.reconciler(database);
    for (let n = 0; n < 6; n++) {
      stage.requests.length = 0;
      const wait = await reconciler.step();
      expect(stage.requests.length).toBeLessThanOrEqual(3);
      stage.set(stage.clock.now + Math.max(wait, 300_000));
    }
    expect(stage.looks.map(({ outcome }) => outcome)).toEqual(['begun', ...Array(5).fill('nothing')]);
  });
});

/** As by SIGKILL: nothing after the point is done, and what was in memory is gone. */
class Killed extends Error {
  override name = 'Killed';
}

describeDatabases('a look that is killed', (open) => {
  test('killed at each point, it takes in everything once at the next start', async () => {
    stage = await reconcilingStage();
    const database = await open();
    await stage.reconciler(database).step();
    stage.hour.tick();
    const ada = stage.trial.forge.as('ada');
    for (const title of ['One', 'Two']) {
      await ada.createIssue(REPO, { title, body: 'b', assignees: ['dev-bot'] });
      stage.hour.tick();
    }
    const points = FAULT_POINTS.filter((point) => point.startsWith('reconcile.'));
    expect(points).toHaveLength(4);
    for (const point of points) {
      armFault((passed) => {
        if (passed === point) throw new Killed(point);
      });
      await stage.reconciler(database).step();
      expect(stage.looks.at(-1)?.outcome).toBe('failed');
      armFault(null);
    }
    await catchUp(database);
    const found = (await eventsIn(database)).map(({ name, item }) => `${name} #${item!.number}`);
    expect(found.sort()).toEqual(
      ['issue.assigned #1', 'issue.assigned #2', 'issue.opened #1', 'issue.opened #2'].sort(),
    );
    expect((await messagesIn(database)).length).toBe(2);
  });
});

/** Fails at the beginning, in the middle and towards the end of a look, in turn by a limit that ends and by a fault. */
function inBetween(waits: number[]): Trouble {
  const limits = [2, 12, 24];
  let asked = 0;
  return () => {
    asked += 1;
    if (limits[0] === undefined || asked < limits[0]) return null;
    limits.shift();
    asked = 0;
    if (waits.length % 2 === 1) {
      waits.push(0);
      return new Response('{"message":"oops"}', { status: 500 });
    }
    waits.push(7);
    return new Response('{"message":"slow down"}', { status: 429, headers: { 'retry-after': '7' } });
  };
}
