/**
 * The real router, mailbox, court and budgets on a clock of the test. Who plays an account says what it does after each
 * run; a run itself is one line here: it costs ten cents, and makes progress or not.
 */
import { randomUUID } from 'node:crypto';
import { createBudgets } from '../../src/budgets.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import { createCourt } from '../../src/court.ts';
import { type Database, migrate, openDatabase } from '../../src/database/database.ts';
import { heldBeforeRun } from '../../src/dispatch/before-run.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { currentHolds, type Hold } from '../../src/mailbox/holds.ts';
import { type Lease, leaseConversation } from '../../src/mailbox/leases.ts';
import { noteProgress } from '../../src/mailbox/progress.ts';
import { settleDispatch } from '../../src/mailbox/settlement.ts';
import { routeNext } from '../../src/router.ts';
import type { ForgeEvent } from '../../src/vocabulary.ts';
import { ConfigFolder, SMALL_CONFIG } from '../support/config-folder.ts';
import { everybodyMayWrite } from '../support/trust.ts';

export const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5, 9);
const CENTS_A_RUN = 10;

/** What an agent does in a run, and what others do because of it. */
export interface Played {
  progress: boolean;
  /** told after the run, in this order */
  next?: ForgeEvent[];
}

export type Play = (lease: Lease, world: CourtWorld) => Played;

export class CourtWorld implements AsyncDisposable {
  now = START;
  /** when each run began, with its agent */
  readonly runs: { agent: string; at: number }[] = [];
  readonly #database: Database;
  readonly #config: LoadedConfig;
  readonly #trust = everybodyMayWrite();
  readonly #play: Play;
  #events = 0;

  static async open(play: Play): Promise<CourtWorld> {
    const database = openDatabase({ url: 'sqlite::memory:' });
    await migrate(database);
    return new CourtWorld(database, play);
  }

  private constructor(database: Database, play: Play) {
    this.#database = database;
    this.#play = play;
    using folder = new ConfigFolder({
      'claude-hooks.yaml': `${SMALL_CONFIG}    allowed_bots: [echo-bot, mention-bot, half-hour-bot]
court: { robots: [quota-notes] }
`,
      'flows/talk.yaml': TALK,
    });
    this.#config = folder.load();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close();
  }

  /** An event of its own, whatever was told before. */
  async tell(event: ForgeEvent): Promise<void> {
    const semanticKey = `court-${++this.#events}`;
    await acceptDelivery(this.#database.rows, {
      forge: 'home',
      forgeDeliveryId: randomUUID(),
      source: 'webhook',
      headers: {},
      body: new Uint8Array(),
      event: { ...event, semanticKey, occurredAt: new Date(this.now).toISOString() },
      now: this.now,
    });
    const deps = { database: this.#database, config: () => this.#config, trust: this.#trust };
    while (await routeNext({ ...deps, now: () => this.now, log: silentLog }));
  }

  /** Lets all run that may, for so long, or until nothing waits that is not held. Stops at `most` runs: the court failed. */
  async play({ minutes, most }: { minutes: number; most: number }): Promise<void> {
    const end = this.now + minutes * MINUTE;
    while (this.now < end && this.runs.length <= most) {
      this.now += MINUTE;
      if (!(await this.#runOne()) && !(await this.#isSomethingToCome())) return;
    }
  }

  /** One look of the worker. */
  async #runOne(): Promise<boolean> {
    const database = this.#database;
    const lease = await leaseConversation(database, {
      worker: 'w',
      now: this.now,
      leaseMs: MINUTE,
      agentLimits: new Map([...this.#config.agents.keys()].map((name) => [name, 9])),
    });
    if (lease === null) return false;
    const deps = { database, log: silentLog, now: () => this.now };
    const held = await heldBeforeRun(lease, {
      court: createCourt({ ...deps, config: () => this.#config, ids: (forge) => this.#trust.ids(forge) }),
      dependencies: { startHeld: async () => null },
      budgets: createBudgets({ ...deps, settings: () => this.#config.budgets }),
      now: deps.now,
    });
    if (held !== null) {
      if ('settlement' in held) await settleDispatch(database, lease, { ...held, now: this.now });
      return true;
    }
    await this.#run(lease);
    return true;
  }

  async #run(lease: Lease): Promise<void> {
    this.runs.push({ agent: lease.conversation.agent, at: this.now });
    const { progress, next = [] } = this.#play(lease, this);
    await this.#database.rows.insertInto('model_requests').values(rowOf(lease, this.now)).execute();
    await this.#database.transaction((tx) => noteProgress(tx, lease.conversation.id, progress, this.now));
    await settleDispatch(this.#database, lease, { settlement: { state: 'succeeded' }, now: this.now });
    for (const event of next) await this.tell(event);
  }

  async #isSomethingToCome(): Promise<boolean> {
    const holds = await this.holds();
    const waiting = await this.#database.rows
      .selectFrom('dispatches')
      .select('conversation_id')
      .where('state', 'in', ['queued', 'parked'])
      .execute();
    const isHeld = (id: string) => holds.some((h) => h.scope === `conversation:${id}` && h.until === null);
    return waiting.some((d) => !isHeld(d.conversation_id));
  }

  holds(): Promise<Hold[]> {
    return currentHolds(this.#database.rows, this.now);
  }

  get database(): Database {
    return this.#database;
  }

  async dollars(): Promise<number> {
    const found = await this.#database.rows
      .selectFrom('model_requests')
      .select((e) => e.fn.sum<number>('micro_usd').as('sum'))
      .executeTakeFirstOrThrow();
    return Number(found.sum ?? 0) / 1e6;
  }
}

function rowOf({ dispatch, conversation }: Lease, at: number) {
  return {
    ...{ dispatch_id: dispatch.id, conversation_id: conversation.id, agent: conversation.agent, at },
    ...{ model: 'claude-sonnet-5-5', status: 200, outcome: 'answered' as const },
    ...{ input_tokens: 100, output_tokens: 100, cache_read_tokens: 0, cache_write_tokens: 0 },
    ...{ micro_usd: CENTS_A_RUN * 10_000, first_byte_ms: 1, total_ms: 2 },
  };
}

/** Operators may let agents and robots wake each other; the shipped flows do so for reviews and pushes alone. */
const TALK = `
- { name: dev-called, on: [comment.created], agent: dev, skill: answer-comment, if: "hasLogin(event.mentions, agent.login) && !sender.person" }
- { name: reviewer-called, on: [comment.created], agent: reviewer, skill: answer-comment, if: "hasLogin(event.mentions, agent.login) && !sender.person" }
- { name: dev-told, on: [comment.created], agent: dev, skill: answer-comment, if: "conversation.exists && !sender.person && size(event.mentions) == 0" }
`;
