/**
 * Nothing is done twice: the same deliveries, each sent three times in any order while they are being routed, leave
 * the same mailboxes as each sent once.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import type { Database } from '../src/database/database.ts';
import { acceptDelivery } from '../src/inbox.ts';
import { silentLog } from '../src/log.ts';
import { readDelivery } from '../src/router/read-delivery.ts';
import type { RouterDeps } from '../src/router/routing.ts';
import { routeNext } from '../src/router.ts';
import { changed } from './fixtures/bodies.ts';
import { bodyOf, forgeHeaders, KINDS, type Sent } from './properties/happenings.ts';
import { ConfigFolder } from './support/config-folder.ts';
import { describeDatabases, type TestDatabase } from './support/databases.ts';
import { edge, signed } from './support/edge.ts';
import { patience } from './support/patience.ts';
import { everybodyMayWrite } from './support/trust.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());
const config = folder.load();

const NOW = Date.parse('2026-05-05T00:00:00Z');
const DELIVERIES = 500;
const COPIES = 3;
/** A failure is run again with REPETITION_SEED set to the number in the test's name. */
const SEED = Number(process.env.REPETITION_SEED ?? 4711);

/** What a lively repository sends: mostly comments and changes of items, some CI, some that mean nothing to us. */
function mixture(): Sent[] {
  const others = [
    (n: number) =>
      fixture('action_run_failure', 'forgejo/built-action-run-failure', { 'run.id': n, ...ciOn(n) }),
    (n: number) =>
      fixture('action_run_success', 'forgejo/built-action-run-success', { 'run.id': n, ...ciOn(n) }),
    (n: number) => fixture('push', 'forgejo/HookPushBranch', { ...SHOP, after: String(n).padStart(40, 'c') }),
    (n: number) => fixture('release', 'forgejo/HookRelease', { 'release.id': n }),
    (n: number) => fixture('issues', 'forgejo/built-issue-opened', { 'issue.number': 1000 + n }),
  ];
  return Array.from({ length: DELIVERIES }, (_, n) => {
    if (n % 10 === 0) return others[(n / 10) % others.length]!(n);
    const kind = KINDS[n % KINDS.length]!;
    return bodyOf({ kind, item: 1 + (n % 23), comment: n % 7, minute: (n * 131) % 600 });
  });
}

const SHOP = { 'repository.full_name': 'team/shop' };

function ciOn(n: number) {
  const number = 4 * (1 + (n % 5));
  return { 'run.repository.full_name': 'team/shop', 'run.event_payload': '', 'run.prettyref': `#${number}` };
}

function fixture(eventType: string, path: string, fields: Record<string, unknown>): Sent {
  return { eventType, body: JSON.stringify(changed(path, fields)) };
}

/** Fisher and Yates with a generator of 32 bits: the same order for the same seed, everywhere. */
function shuffled<T>(things: readonly T[], seed: number): T[] {
  const all = [...things];
  let state = seed >>> 0;
  for (let last = all.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [all[last], all[other]] = [all[other]!, all[last]!];
  }
  return all;
}

/** Routes as two services would, at once. Answers our ids in the order in which they were decided. */
function startRouters(database: Database): { stop(): Promise<string[]> } {
  const decided = new Set<string>();
  const noted = (_: string, fields?: Record<string, unknown>) => void decided.add(String(fields?.delivery));
  let last = false;
  const log = {
    ...silentLog,
    // Said right after the transaction that decides, of which there is one at a time.
    info: noted,
    debug: noted,
  };
  const deps: RouterDeps = {
    database,
    config: () => config,
    trust: everybodyMayWrite(),
    now: () => NOW,
    log,
  };
  const router = async (): Promise<void> => {
    for (;;) {
      const wasLast = last;
      if (await routeNext(deps)) continue;
      if (wasLast) return;
      await sleep(1);
    }
  };
  const routers = [router(), router()];
  return {
    stop: async () => {
      last = true;
      await Promise.all(routers);
      return [...decided];
    },
  };
}

const SENDERS = 4;

/** Through the door, signed, each under a delivery id of its own; some are repeated by the forge under the same one. */
async function send(database: Database, deliveries: readonly Sent[]): Promise<void> {
  const { post } = edge(database, { now: () => NOW });
  const left = [...deliveries.entries()];
  const sender = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, { eventType, body }] = next;
      const deliveryId = randomUUID();
      const { status, json } = await post(signed(body, { eventType, deliveryId }));
      expect([status, json.repeated]).toEqual([202, false]);
      if (index % 25 > 0) continue;
      const again = await post(signed(body, { eventType, deliveryId }));
      expect(again).toEqual({ status: 202, json: { delivery: json.delivery, repeated: true } });
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

async function deliveriesIn({ rows }: Database) {
  const all = await rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
  return await Promise.all(
    all.map(async (row) => {
      const read = await readDelivery(row, [row.body]);
      return {
        ...row,
        text: Buffer.from(row.body).toString(),
        key: 'event' in read ? read.event.semanticKey : null,
      };
    }),
  );
}

/** What lies in the mailboxes, without the ids that chance gives. */
async function mailboxes({ rows }: Database) {
  const messages = await rows
    .selectFrom('messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select(['c.agent', 'c.item_number', 'm.flow', 'm.skill', 'm.priority', 'e.event', 'm.state', 'm.reason'])
    .orderBy('m.seq')
    .execute();
  const dispatches = await rows
    .selectFrom('dispatches as d')
    .innerJoin('conversations as c', 'c.id', 'd.conversation_id')
    .select(['c.agent', 'c.item_number', 'd.state', 'd.priority', 'd.due_at', 'd.attempt'])
    .orderBy('d.seq')
    .execute();
  const items = await rows.selectFrom('items').selectAll().orderBy('number').execute();
  return { messages, dispatches, items };
}

/** Each body once, in the order in which the other run came to it first, one after the other. */
async function sendOnce(
  database: Database,
  bodies: readonly { text: string; headers: string }[],
): Promise<void> {
  const deps = { database, config: () => config, trust: everybodyMayWrite(), now: () => NOW, log: silentLog };
  for (const { text, headers } of bodies) {
    const eventType = (JSON.parse(headers) as Record<string, string>)['x-forgejo-event-type']!;
    const deliveryId = randomUUID();
    await acceptDelivery(database.rows, {
      forge: 'home',
      forgeDeliveryId: deliveryId,
      source: 'webhook',
      headers: forgeHeaders(eventType, deliveryId),
      body: Buffer.from(text),
      now: NOW,
    });
    await routeNext(deps);
  }
}

async function sentThrice(database: TestDatabase): Promise<string[]> {
  const once = mixture();
  const thrice = shuffled(Array.from({ length: COPIES }, () => once).flat(), SEED);
  const routers = startRouters(database);
  try {
    await send(database, thrice);
  } finally {
    await routers.stop();
  }
  return await routers.stop();
}

describeDatabases('five hundred deliveries, each three times', (open) => {
  test(`make the same mailboxes as each once (seed ${SEED})`, { timeout: patience(300_000) }, async () => {
    const database = await open();
    const order = await sentThrice(database);
    const all = await deliveriesIn(database);
    expect(all.length).toBe(DELIVERIES * COPIES);
    expect(all.filter((d) => d.state === 'received')).toEqual([]);

    const byId = new Map(all.map((d) => [d.id, d]));
    const firsts = Map.groupBy(all, (d) => d.key);
    for (const { id, state, key, duplicate_of, reason } of all) {
      const decidedOnce = firsts.get(key)!.filter((d) => d.state !== 'duplicate');
      if (state === 'duplicate')
        expect(
          decidedOnce.map((d) => d.id),
          `${id} of ${key}`,
        ).toEqual([duplicate_of]);
      // A delivery that means nothing cannot be a repetition: every copy has its own reason.
      else if (key === null) expect(reason).not.toBeNull();
    }
    expect(all.filter((d) => d.state === 'duplicate').length).toBeGreaterThan(DELIVERIES);

    const firstOfEach = new Map(order.map((id) => [byId.get(id)!.text, byId.get(id)!]));
    const other = await open();
    await sendOnce(other, [...firstOfEach.values()]);
    const [thrice, once] = [await mailboxes(database), await mailboxes(other)];
    expect(thrice.messages.length).toBeGreaterThan(100);
    expect(thrice).toEqual(once);
  });
});
