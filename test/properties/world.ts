/** The rooms of the service with a clock, a forge and workers that go step by step; watched after every one. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/database/database.ts';
import { LeaseLost } from '../../src/errors.ts';
import { armFault } from '../../src/faults.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { type Lease, leaseConversation, renewLease } from '../../src/mailbox/leases.ts';
import { rescueExpired } from '../../src/mailbox/settlement.ts';
import type { RouterDeps, RoutingConfig } from '../../src/router/routing.ts';
import { routeNext } from '../../src/router.ts';
import { everybodyMayWrite } from '../support/trust.ts';
import { Crew, type Slot } from './crew.ts';
import { bodyOf, forgeHeaders, type Sent } from './happenings.ts';
import { type Distance, unsettled, violations, writtenByOldHolder } from './invariants.ts';
import { lifelikeRun, PromiseBroken, type Script } from './lifelike-run.ts';
import { Died, mortal } from './mortal.ts';
import { Paced } from './paced.ts';
import { PretendForge } from './pretend-forge.ts';
import { type Look, lookAt, WAITING } from './rows.ts';
import type { Step } from './steps.ts';

const AGENT_LIMITS: ReadonlyMap<string, number> = new Map([
  ['dev', 2],
  ['reviewer', 1],
]);
const LEASE_MS = 60_000;
const START = Date.parse('2026-05-05T00:00:00Z');

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
  readonly #crew: Crew;
  /** by dispatch: the messages that were in a prompt the model got */
  readonly #asked = new Map<string, Set<string>>();
  #accepted = 0;
  #now = START;
  #look: Look;

  private constructor(given: Given, look: Look) {
    this.#given = given;
    this.#look = look;
    this.#crew = new Crew(() => mortal(given.database));
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
        return await this.#goOn(this.#crew.busy(step.worker), step);
      case 'finish':
        return await this.#finish(this.#crew.busy(step.worker));
      case 'renew':
        return await this.#renew(this.#crew.slots[step.worker]!);
      case 'crash':
        return await this.#watched('step', () => this.#crash(this.#crew.busy(step.worker), step.known));
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
    for (const slot of this.#crew.slots) await this.#finish(slot);
    const slot = this.#crew.slots[0]!;
    for (let round = 0; unsettled(this.#look).length > 0; round++) {
      if (round === 200) throw new PromiseBroken(unsettled(this.#look).join('\n'));
      this.#passTheTime();
      await this.#watched('several', async () => {
        await this.#route({ dies: null, fails: false });
        await this.#rescue(null);
        await this.#lease(slot, { script, dies: null });
        while (slot.run !== null) await this.#advance(slot, null);
      });
    }
    if (this.#look.deliveries.length !== this.#accepted) throw new PromiseBroken('a delivery was lost');
  }

  async #watched(distance: Distance, act: () => Promise<void>, oldHolder = false): Promise<void> {
    await act();
    const before = this.#look;
    this.#look = await lookAt(this.#given.database);
    const broken = [
      ...violations(before, this.#look, distance),
      ...(oldHolder ? writtenByOldHolder(before, this.#look) : []),
      ...this.#tooMany(),
      ...this.#answeredUnasked(),
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

  /** Nobody is told "answered" whose words the model never got. */
  #answeredUnasked(): string[] {
    return this.#look.messages
      .filter((m) => m.state === 'answered' && !this.#asked.get(m.dispatch_id!)?.has(m.id))
      .map((m) => `message ${m.id} is answered by dispatch ${m.dispatch_id}, which never asked it`);
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
    const deps: RouterDeps = {
      database: router.database,
      config: () => this.#given.config,
      trust: everybodyMayWrite(),
      now: () => this.#now,
      log: silentLog,
    };
    armFault((point) => {
      if (fails && point === 'routing.decided') throw new Error('routing was made to fail');
    });
    try {
      await routeNext(deps);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    } finally {
      armFault(null);
    }
  }

  async #takeUp({ script, patient, dies }: Extract<Step, { do: 'lease' }>): Promise<void> {
    const slot = this.#crew.idle(0);
    if (slot === undefined) return;
    const due = this.#look.dispatches.filter((d) => WAITING.includes(d.state)).map((d) => d.due_at);
    if (patient && due.length > 0) this.#now = Math.max(this.#now, Math.min(...due));
    await this.#watched('step', () => this.#lease(slot, { script, dies }));
  }

  async #lease(slot: Slot, { script, dies }: { script: Script; dies: number | null }): Promise<void> {
    if (slot.run !== null) return;
    const { database, id } = slot.process;
    const parked = this.#look.holds.some((h) => h.ended_at === null && (h.until ?? Infinity) > this.#now);
    const request = { worker: id, now: this.#now, leaseMs: LEASE_MS, agentLimits: AGENT_LIMITS };
    const lease = await this.#survive(slot, dies, () => leaseConversation(database, request));
    if (lease === null) return;
    if (parked) throw new PromiseBroken(`dispatch ${lease.dispatch.id} was leased on a held credential`);
    slot.lease = lease;
    slot.run = new Paced((gate) => lifelikeRun(lease, script, { ...this.#desk(slot), gate }));
  }

  #desk({ process }: Slot) {
    return {
      database: process.database,
      now: () => this.#now,
      state: this.#given.state,
      forge: this.#forge,
      isMine: (lease: Lease) => this.#isCurrent(lease),
      onAsked: ({ dispatch, messages }: Lease) => {
        const asked = this.#asked.get(dispatch.id) ?? new Set();
        this.#asked.set(dispatch.id, asked);
        for (const { id } of messages) asked.add(id);
      },
    };
  }

  /** By the dispatch and its attempt, not by what the product compares: the two must come to the same. */
  async #isCurrent({ dispatch }: Lease): Promise<boolean> {
    const { state, attempt } = await this.#given.database.rows
      .selectFrom('dispatches')
      .select(['state', 'attempt'])
      .where('id', '=', dispatch.id)
      .executeTakeFirstOrThrow();
    return state === 'running' && attempt === dispatch.attempt;
  }

  async #goOn(slot: Slot, { gates, dies }: Extract<Step, { do: 'work' }>): Promise<void> {
    for (let gate = 1; gate < gates; gate++) await this.#work(slot, null);
    await this.#work(slot, dies);
  }

  async #work(slot: Slot, dies: number | null): Promise<void> {
    if (slot.run === null) return;
    const isOld = !(await this.#isCurrent(slot.lease!));
    // A request to the forge that is on its way cannot be called back; that one window stays open.
    if (isOld && slot.run.at === 'effect.planned') return this.#crew.bury(slot.process);
    await this.#watched('step', () => this.#advance(slot, dies), isOld);
  }

  async #advance(slot: Slot, dies: number | null): Promise<void> {
    await this.#survive(slot, dies, () => slot.run!.advance());
    if (slot.run?.at === null) slot.run = null;
  }

  async #finish(slot: Slot): Promise<void> {
    while (slot.run !== null) await this.#work(slot, null);
  }

  async #renew({ lease, process }: Slot): Promise<void> {
    if (lease === null) return;
    const isOld = !(await this.#isCurrent(lease));
    const renew = async (): Promise<void> => {
      const lost = await renewLease(process.database.rows, lease, this.#now + LEASE_MS).then(
        () => false,
        (error: unknown) => error instanceof LeaseLost,
      );
      if (lost !== isOld)
        throw new PromiseBroken(`a renewal ${lost ? 'was refused to' : 'passed for'} ${process.id}`);
    };
    await this.#watched('step', renew, isOld);
  }

  async #crash({ process }: Slot, known: boolean): Promise<void> {
    this.#crew.bury(process);
    if (!known) return;
    await rescueExpired(this.#given.database, {
      now: this.#now,
      deadWorkers: [process.id],
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

  async #overtake({ worker, by, script, gates, late }: Extract<Step, { do: 'overtake' }>): Promise<void> {
    const [old, next] = [this.#crew.busy(worker), this.#crew.idle(by)];
    if (old.run === null || next === undefined) return;
    this.#now += LEASE_MS;
    await this.#watched('step', () => this.#rescue(null));
    await this.#watched('step', () => this.#lease(next, { script, dies: null }));
    for (let gate = 0; gate < gates; gate++) await this.#work(next, null);
    if (!late) await this.#finish(old);
  }

  async #rush(scripts: Script[]): Promise<void> {
    const moves = this.#crew.slots.map((slot, index) =>
      slot.run === null || slot.run.at === 'effect.planned'
        ? this.#lease(slot, { script: scripts[index]!, dies: null })
        : this.#advance(slot, null),
    );
    await Promise.all([...moves, this.#route({ dies: null, fails: false }), this.#rescue(null)]);
  }

  /** Null when the process died over it, after as many queries as it was given. */
  async #survive<T>({ process }: Slot, dies: number | null, act: () => Promise<T>): Promise<T | null> {
    process.allow(dies);
    try {
      return await act();
    } catch (error) {
      onlyDeath(error);
      this.#crew.bury(process);
      return null;
    } finally {
      process.allow(null);
    }
  }

  /** To the next moment at which anything may happen. */
  #passTheTime(): void {
    const { deliveries, dispatches, conversations, holds } = this.#look;
    const times = [
      ...deliveries.filter((d) => d.state === 'received').map((d) => d.next_attempt_at),
      ...dispatches.map((d) => d.due_at),
      ...conversations.map((c) => c.lease_until),
      ...holds.map((h) => h.until ?? 0),
    ];
    const next = times.filter((time) => time > this.#now).sort((a, b) => a - b)[0];
    this.#now = next ?? this.#now + 1000;
  }
}

function onlyDeath(error: unknown): void {
  if (!(error instanceof Died)) throw error;
}
