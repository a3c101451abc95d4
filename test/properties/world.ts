/** The rooms of the service with a clock, a forge and workers that go step by step; watched after every one. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/database/database.ts';
import { type DispatcherDeps, dispatchNext, type RoutingConfig } from '../../src/dispatcher.ts';
import { LeaseLost } from '../../src/errors.ts';
import { armFault } from '../../src/faults.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { type Lease, leaseConversation, renewLease } from '../../src/mailbox/leases.ts';
import { rescueExpired } from '../../src/mailbox/settlement.ts';
import { bodyOf, forgeHeaders, type Sent } from './happenings.ts';
import { type Distance, unsettled, violations, writtenByOldHolder } from './invariants.ts';
import { lifelikeRun, PromiseBroken, type Script } from './lifelike-run.ts';
import { Died, type Mortal, mortal } from './mortal.ts';
import { Paced } from './paced.ts';
import { PretendForge } from './pretend-forge.ts';
import { type Look, lookAt, WAITING } from './rows.ts';
import { type Step, WORKERS } from './steps.ts';

export const AGENT_LIMITS: ReadonlyMap<string, number> = new Map([
  ['dev', 2],
  ['reviewer', 1],
]);
const LEASE_MS = 60_000;
const START = Date.parse('2026-05-05T00:00:00Z');

interface Worker {
  id: string;
  process: Mortal;
  run: Paced | null;
  /** also of a run that has ended: a heartbeat can come late */
  lease: Lease | null;
}

export interface Given {
  database: Database;
  config: RoutingConfig;
  /** an empty folder */
  state: string;
}

export class World {
  readonly #given: Given;
  readonly #forge = new PretendForge();
  readonly #sent: (Sent & { deliveryId: string })[] = [];
  readonly #workers: Worker[];
  #now = START;
  #workersBorn = 0;
  #look: Look;

  private constructor(given: Given, look: Look) {
    this.#given = given;
    this.#look = look;
    this.#workers = Array.from({ length: WORKERS }, () => this.#newWorker());
  }

  static async begin(given: Given): Promise<World> {
    return new World(given, await lookAt(given.database));
  }

  /** Throws PromiseBroken as soon as something does not hold. */
  async perform(step: Step): Promise<void> {
    switch (step.do) {
      case 'deliver':
        return await this.#arrive(step);
      case 'replay':
        return await this.#watched('step', () => this.#replay(step.delivery));
      case 'route':
        return await this.#watched('step', () => this.#route(step));
      case 'lease':
        return await this.#takeUp(step);
      case 'work':
        return await this.#goOn(this.#busy(step.worker), step);
      case 'finish':
        return await this.#finish(this.#busy(step.worker));
      case 'renew':
        return await this.#renew(this.#workers[step.worker]!);
      case 'crash':
        return await this.#watched('step', () => this.#crash(this.#busy(step.worker), step.known));
      case 'rescue':
        return await this.#watched('step', () => this.#rescue(step.dies));
      case 'clock':
        this.#now += step.seconds * 1000;
        return;
      case 'overtake':
        return await this.#overtake(step);
      case 'rush':
        return await this.#watched('several', () => this.#rush(step.scripts));
    }
  }

  /** Nothing new comes, everybody works, and the clock goes on: all must come to an end. */
  async drain(): Promise<void> {
    const script: Script = { ending: 'answered', lost: 'nothing', resumeFails: false };
    const worker = this.#workers[0]!;
    for (const each of this.#workers) await this.#finish(each);
    for (let round = 0; unsettled(this.#look).length > 0; round++) {
      if (round === 200) throw new PromiseBroken(unsettled(this.#look).join('\n'));
      this.#passTheTime();
      await this.#watched('several', async () => {
        await this.#route({ dies: null, fails: false });
        await this.#rescue(null);
        await this.#lease(worker, { script, dies: null });
        while (worker.run !== null) await this.#advance(worker, null);
      });
    }
    if (this.#look.deliveries.length !== this.#accepted) throw new PromiseBroken('a delivery was lost');
  }

  #accepted = 0;

  async #watched(distance: Distance, act: () => Promise<void>, oldHolder = false): Promise<void> {
    await act();
    const before = this.#look;
    this.#look = await lookAt(this.#given.database);
    const broken = [
      ...violations(before, this.#look, distance),
      ...(oldHolder ? writtenByOldHolder(before, this.#look) : []),
      ...this.#tooMany(),
      ...this.#forge.repeated().map((marker) => `${marker} was posted twice`),
    ];
    if (broken.length > 0) throw new PromiseBroken(broken.join('\n'));
  }

  #tooMany(): string[] {
    return [...AGENT_LIMITS].flatMap(([agent, limit]) => {
      const running = this.#look.dispatches.filter((d) => d.state === 'running' && d.agent === agent).length;
      return running > limit ? [`${running} dispatches of ${agent} run at once, and ${limit} may`] : [];
    });
  }

  async #arrive({ what, again, routed }: Extract<Step, { do: 'deliver' }>): Promise<void> {
    await this.#watched('step', () => this.#deliver(bodyOf(what), again));
    if (routed) await this.#watched('step', () => this.#route({ dies: null, fails: false }));
  }

  async #deliver(sent: Sent, again: boolean): Promise<void> {
    const last = this.#sent.at(-1);
    const repeated = again && last !== undefined;
    const { eventType, body, deliveryId } = repeated ? last : { ...sent, deliveryId: randomUUID() };
    const answer = await acceptDelivery(this.#given.database.rows, {
      forge: 'home',
      forgeDeliveryId: deliveryId,
      source: 'webhook',
      headers: forgeHeaders(eventType, deliveryId),
      body: Buffer.from(body),
      now: this.#now,
    });
    if (!repeated) this.#sent.push({ eventType, body, deliveryId });
    this.#count(answer.kind, repeated ? 'repeated' : 'accepted');
  }

  async #replay(index: number): Promise<void> {
    const old = this.#sent[index % Math.max(1, this.#sent.length)];
    if (old === undefined) return;
    const answer = await acceptDelivery(this.#given.database.rows, {
      forge: 'home',
      forgeDeliveryId: `replay-${randomUUID()}`,
      source: 'replay',
      headers: forgeHeaders(old.eventType, old.deliveryId),
      body: Buffer.from(old.body),
      now: this.#now,
    });
    this.#count(answer.kind, 'accepted');
  }

  #count(kind: string, expected: 'accepted' | 'repeated'): void {
    if (kind !== expected) throw new PromiseBroken(`a delivery was ${kind} at the door, not ${expected}`);
    if (kind === 'accepted') this.#accepted++;
  }

  async #route({ dies, fails }: { dies: number | null; fails: boolean }): Promise<void> {
    const router = mortal(this.#given.database);
    router.allow(dies);
    const deps: DispatcherDeps = {
      database: router.database,
      config: () => this.#given.config,
      now: () => this.#now,
      log: silentLog,
    };
    armFault((point) => {
      if (fails && point === 'routing.decided') throw new Error('routing was made to fail');
    });
    try {
      await dispatchNext(deps);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    } finally {
      armFault(null);
    }
  }

  async #takeUp({ script, patient, dies }: Extract<Step, { do: 'lease' }>): Promise<void> {
    const worker = this.#idle();
    if (worker === undefined) return;
    const due = this.#look.dispatches.filter((d) => WAITING.includes(d.state)).map((d) => d.due_at);
    if (patient && due.length > 0) this.#now = Math.max(this.#now, Math.min(...due));
    await this.#watched('step', () => this.#lease(worker, { script, dies }));
  }

  async #lease(worker: Worker, { script, dies }: { script: Script; dies: number | null }): Promise<void> {
    if (worker.run !== null) return;
    const parked = this.#look.parks.some((p) => p.until > this.#now);
    worker.process.allow(dies);
    const lease = await this.#survive(worker, () =>
      leaseConversation(worker.process.database, {
        worker: worker.id,
        now: this.#now,
        leaseMs: LEASE_MS,
        agentLimits: AGENT_LIMITS,
      }),
    );
    worker.process.allow(null);
    if (lease === null) return;
    if (parked) throw new PromiseBroken(`dispatch ${lease.dispatch.id} was leased on a parked credential`);
    worker.lease = lease;
    worker.run = new Paced((gate) => lifelikeRun(lease, script, { ...this.#desk(worker), gate }));
  }

  #desk(worker: Worker) {
    return {
      database: worker.process.database,
      now: () => this.#now,
      state: this.#given.state,
      forge: this.#forge,
      isMine: (lease: Lease) => this.#isCurrent(lease),
    };
  }

  async #isCurrent(lease: Lease): Promise<boolean> {
    const { lease_token, lease_worker } = await this.#given.database.rows
      .selectFrom('conversations')
      .select(['lease_token', 'lease_worker'])
      .where('id', '=', lease.conversation.id)
      .executeTakeFirstOrThrow();
    return lease_token === lease.token && lease_worker === lease.worker;
  }

  async #goOn(worker: Worker, { gates, dies }: Extract<Step, { do: 'work' }>): Promise<void> {
    for (let gate = 1; gate < gates; gate++) await this.#work(worker, null);
    await this.#work(worker, dies);
  }

  async #work(worker: Worker, dies: number | null): Promise<void> {
    if (worker.run === null) return;
    const isOld = !(await this.#isCurrent(worker.lease!));
    // A request to the forge that is on its way cannot be called back; that one window stays open.
    if (isOld && worker.run.at === 'effect.planned') return this.#replaceDead(worker);
    await this.#watched('step', () => this.#advance(worker, dies), isOld);
  }

  async #advance(worker: Worker, dies: number | null): Promise<void> {
    worker.process.allow(dies);
    await this.#survive(worker, () => worker.run!.advance());
    worker.process.allow(null);
    if (worker.run?.at === null) worker.run = null;
  }

  async #finish(worker: Worker): Promise<void> {
    while (worker.run !== null) await this.#work(worker, null);
  }

  async #renew(worker: Worker): Promise<void> {
    const { lease } = worker;
    if (lease === null) return;
    const isOld = !(await this.#isCurrent(lease));
    await this.#watched(
      'step',
      async () => {
        const lost = await renewLease(worker.process.database.rows, lease, this.#now + LEASE_MS).then(
          () => false,
          (error: unknown) => error instanceof LeaseLost,
        );
        if (lost !== isOld)
          throw new PromiseBroken(`a renewal ${lost ? 'was refused to' : 'passed for'} ${worker.id}`);
      },
      isOld,
    );
  }

  async #crash(worker: Worker, known: boolean): Promise<void> {
    this.#replaceDead(worker);
    if (!known) return;
    await rescueExpired(this.#given.database, {
      now: this.#now,
      deadWorkers: [worker.id],
      reason: 'the service stopped while it ran',
    });
  }

  async #rescue(dies: number | null): Promise<void> {
    const rescuer = mortal(this.#given.database);
    rescuer.allow(dies);
    await rescueExpired(rescuer.database, {
      now: this.#now,
      deadWorkers: 'expired-only',
      reason: 'its worker stopped renewing the lease',
    }).catch(onlyDeath);
  }

  async #overtake({ worker, script }: Extract<Step, { do: 'overtake' }>): Promise<void> {
    const [old, next] = [this.#busy(worker), this.#idle()];
    if (old.run === null || next === undefined) return;
    this.#now += LEASE_MS;
    await this.#watched('step', () => this.#rescue(null));
    await this.#watched('step', () => this.#lease(next, { script, dies: null }));
  }

  async #rush(scripts: Script[]): Promise<void> {
    const moves = this.#workers.map((worker, index) =>
      worker.run === null || worker.run.at === 'effect.planned'
        ? this.#lease(worker, { script: scripts[index]!, dies: null })
        : this.#advance(worker, null),
    );
    await Promise.all([...moves, this.#route({ dies: null, fails: false }), this.#rescue(null)]);
  }

  /** One that runs something if there is one: a step that finds nobody to take it shows nothing. */
  #busy(index: number): Worker {
    const busy = this.#workers.filter((worker) => worker.run !== null);
    return busy[index % busy.length] ?? this.#workers[index]!;
  }

  #idle(): Worker | undefined {
    return this.#workers.find((worker) => worker.run === null);
  }

  /** Ids are unique among all workers that ever were. */
  #newWorker(): Worker {
    const id = `worker-${++this.#workersBorn}`;
    return { id, process: mortal(this.#given.database), run: null, lease: null };
  }

  async #survive<T>(worker: Worker, act: () => Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (error) {
      onlyDeath(error);
      this.#replaceDead(worker);
      return null;
    }
  }

  /** What it had begun stays where it stands, for ever. */
  #replaceDead(worker: Worker): void {
    worker.run = null;
    this.#workers[this.#workers.indexOf(worker)] = this.#newWorker();
  }

  /** To the next moment at which anything may happen. */
  #passTheTime(): void {
    const { deliveries, dispatches, conversations, parks } = this.#look;
    const times = [
      ...deliveries.filter((d) => d.state === 'received').map((d) => d.next_attempt_at),
      ...dispatches.map((d) => d.due_at),
      ...conversations.map((c) => c.lease_until),
      ...parks.map((p) => p.until),
    ];
    const next = times.filter((time) => time > this.#now).sort((a, b) => a - b)[0];
    this.#now = next ?? this.#now + 1000;
  }
}

function onlyDeath(error: unknown): void {
  if (!(error instanceof Died)) throw error;
}
