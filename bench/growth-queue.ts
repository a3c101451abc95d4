/** What the queue costs with so many conversations behind it. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import { type Database, migrate, openDatabase } from '../src/database/database.ts';
import { acceptDelivery } from '../src/inbox.ts';
import { silentLog } from '../src/log.ts';
import { resolveConversation } from '../src/mailbox/conversations.ts';
import { type Lease, leaseConversation } from '../src/mailbox/leases.ts';
import { rescueExpired, settleDispatch } from '../src/mailbox/settlement.ts';
import { routeNext } from '../src/router.ts';
import type { EventItem } from '../src/vocabulary.ts';
import { DEV, usualConfig } from '../test/support/service-config.ts';
import { everybodyMayWrite } from '../test/support/trust.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { commentBody, deliveryHeaders } from './deliveries.ts';
import { addConversations, FAR_AWAY, FIRST_REPOSITORY, REPOSITORIES, WAITING_EVERY } from './growth-rows.ts';
import { figure, type Table } from './report.ts';
import { folderIn } from './stage.ts';

/** As in a service: who was asked about once is not asked about again for minutes. */
const trust = everybodyMayWrite();

import { summarise, timed } from './summary.ts';

const OPERATIONS = [
  'accept a delivery',
  'claim and route a delivery',
  'lease a dispatch',
  'settle it',
  'look and find nothing',
  'resolve a known conversation',
  'resolve a new conversation',
  'lease when 1 % of all conversations wait',
] as const;
type Operation = (typeof OPERATIONS)[number];
type Times = Record<Operation, number[]>;

export async function measureQueue(bench: Bench): Promise<Table[]> {
  const sizes = bench.quick ? [1000, 10_000] : [1000, 10_000, 100_000];
  const repeats = bench.quick ? 5 : 40;
  const tables: Table[] = [];
  for (const database of bench.databases) tables.push(await measureDatabase(bench, database, sizes, repeats));
  return tables;
}

async function measureDatabase(
  bench: Bench,
  { name, fresh }: BenchDatabase,
  sizes: number[],
  repeats: number,
): Promise<Table> {
  const url = await fresh('growth');
  const database = openDatabase({ url });
  const config = configIn(folderIn(bench.folder, `growth-${name}`));
  const bySize: Times[] = [];
  try {
    await migrate(database);
    let have = 0;
    for (const size of sizes) {
      const { ms } = await timed(() => addConversations(url, have + 1, size));
      bench.say(`  ${name}: ${figure(size, 0)} conversations made in ${figure(ms / 1000)} s`);
      have = size;
      const queue = new Queue(database, config, size);
      for (let n = 0; n < repeats; n++) await queue.passOnce();
      await queue.leaseFromBacklog(repeats);
      bySize.push(queue.times);
    }
  } finally {
    await database.close();
  }
  return {
    caption: `Milliseconds by number of conversations, ${name}: median (p99) of ${repeats}`,
    head: ['operation', ...sizes.map((size) => figure(size, 0))],
    rows: OPERATIONS.map((operation) => [
      operation,
      ...bySize.map((times) => {
        const s = summarise(times[operation]);
        return `${figure(s.median, 2)} (${figure(s.p99, 2)})`;
      }),
    ]),
  };
}

function configIn(folder: string): LoadedConfig {
  const at = { forge: 'http://127.0.0.1:9', model: 'http://127.0.0.1:9' };
  const { text, env } = usualConfig(
    { model: '', forge: { repositories: ['orchard/*'], fork_pulls: true } },
    at,
  );
  const file = join(folder, 'claude-hooks.yaml');
  writeFileSync(file, text);
  return loadConfig({ file, env: { ...env, PORT: '0' } });
}

let comments = 0;
let newItems = 0;

/** A delivery's way to an answered dispatch, as router and worker call it, with a clock at every step. */
class Queue {
  readonly #database: Database;
  readonly #config: LoadedConfig;
  readonly #size: number;
  readonly times = Object.fromEntries(OPERATIONS.map((o) => [o, []])) as unknown as Times;

  constructor(database: Database, config: LoadedConfig, size: number) {
    this.#database = database;
    this.#config = config;
    this.#size = size;
  }

  async passOnce(): Promise<void> {
    const some = 1 + Math.floor(Math.random() * this.#size);
    // A message to one that waits would wait with it.
    const number = some % WAITING_EVERY === 0 ? some - 1 : some;
    await this.#time('accept a delivery', () => this.#accept(number));
    const routed = await this.#time('claim and route a delivery', () => this.#route());
    const lease = await this.#time('lease a dispatch', () => this.#lease());
    if (!routed || lease === null || lease.conversation.item_number !== number) {
      throw new Error(
        `The delivery about item ${number} did not become a leased dispatch. Keep its body in step with the parser and the shipped flows.`,
      );
    }
    await this.#time('settle it', () => this.#settle(lease));
    const nothing = await this.#time('look and find nothing', () => this.#look());
    if (nothing !== null) throw new Error(`Dispatch ${nothing.dispatch.id} was due. Only ours may be.`);
    await this.#time('resolve a known conversation', () => this.#resolve(number));
    await this.#time('resolve a new conversation', () => this.#resolve(2_000_000 + ++newItems));
  }

  /** A usage limit has ended: everything that waited for it is due in the same moment. */
  async leaseFromBacklog(times: number): Promise<void> {
    await this.#setDue(0);
    for (let n = 0; n < times; n++) {
      const lease = await this.#time('lease when 1 % of all conversations wait', () => this.#lease());
      if (lease === null) break;
      await this.#settle(lease);
    }
    await this.#setDue(FAR_AWAY);
  }

  async #time<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const { ms, value } = await timed(work);
    this.times[operation].push(ms);
    return value;
  }

  async #accept(number: number): Promise<void> {
    const id = ++comments;
    await acceptDelivery(this.#database.rows, {
      forge: 'home',
      forgeDeliveryId: randomUUID(),
      source: 'webhook',
      headers: deliveryHeaders(randomUUID()),
      body: commentBody({ id, issue: number, repository: repositoryOf(number), text: `@${DEV} and now?` }),
      now: Date.now(),
    });
  }

  async #route(): Promise<boolean> {
    return await routeNext({
      database: this.#database,
      config: () => this.#config,
      trust,
      now: () => Date.now(),
      log: silentLog,
    });
  }

  async #lease(): Promise<Lease | null> {
    return await leaseConversation(this.#database, {
      worker: 'bench',
      now: Date.now(),
      leaseMs: 60_000,
      agentLimits: new Map([['dev', 8]]),
    });
  }

  /** As the worker does at least every two seconds. */
  async #look(): Promise<Lease | null> {
    await rescueExpired(this.#database, { now: Date.now(), deadWorkers: 'expired-only', reason: 'bench' });
    return await this.#lease();
  }

  async #settle(lease: Lease): Promise<void> {
    await settleDispatch(this.#database, lease, {
      settlement: { state: 'succeeded' },
      seen: null,
      unanswered: [],
      now: Date.now(),
    });
  }

  async #resolve(number: number): Promise<void> {
    const { id, name } = repositoryOf(number);
    await this.#database.transaction((tx) =>
      resolveConversation(tx, {
        forge: 'home',
        repository: { id: String(id), fullName: `orchard/${name}` },
        agent: 'dev',
        item: itemOf(number),
        now: Date.now(),
      }),
    );
  }

  async #setDue(at: number): Promise<void> {
    await this.#database.rows
      .updateTable('dispatches')
      .set({ due_at: at })
      .where('state', '=', 'parked')
      .execute();
  }
}

function repositoryOf(number: number): { id: number; name: string } {
  return { id: FIRST_REPOSITORY + (number % REPOSITORIES), name: `r${number % REPOSITORIES}` };
}

function itemOf(number: number): EventItem {
  return {
    kind: 'issue',
    number,
    title: `Matter number ${number}`,
    body: '',
    state: 'open',
    htmlUrl: '',
    author: { id: 1, login: 'ada' },
    labels: [],
    assignees: [],
  };
}
