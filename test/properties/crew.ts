/** The workers: two slots in one process, a third in another. A process dies with all of its slots. */
import type { Lease } from '../../src/mailbox/leases.ts';
import type { Mortal } from './mortal.ts';
import type { Paced } from './paced.ts';

export interface WorkerProcess extends Mortal {
  /** unique among all workers that ever were */
  id: string;
}

export interface Slot {
  process: WorkerProcess;
  run: Paced | null;
  /** also of a run that has ended: a heartbeat can come late */
  lease: Lease | null;
}

export class Crew {
  readonly #start: () => Mortal;
  readonly #slots: Slot[];
  #started = 0;

  constructor(start: () => Mortal) {
    this.#start = start;
    const shared = this.#newProcess();
    this.#slots = [shared, shared, this.#newProcess()].map(emptySlot);
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  /** One that runs something if there is one: a step that finds nobody to take it shows nothing. */
  busy(index: number): Slot {
    const busy = this.#slots.filter((slot) => slot.run !== null);
    return busy[index % busy.length] ?? this.#slots[index % this.#slots.length]!;
  }

  idle(index: number): Slot | undefined {
    const idle = this.#slots.filter((slot) => slot.run === null);
    return idle[index % idle.length];
  }

  /** What its slots had begun stays where it stands, for ever; another process takes its place. */
  bury(dead: WorkerProcess): void {
    const next = this.#newProcess();
    this.#slots.forEach((slot, index) => {
      if (slot.process !== dead) return;
      slot.run = null;
      this.#slots[index] = emptySlot(next);
    });
  }

  #newProcess(): WorkerProcess {
    return { ...this.#start(), id: `worker-${++this.#started}` };
  }
}

function emptySlot(process: WorkerProcess): Slot {
  return { process, run: null, lease: null };
}
