/** Which faults of each step are still to come, and which replies wait in a hold. Kept in memory only. */
import type { Fault } from './model-script.ts';

export class FaultCounter {
  readonly #met = new Map<string, number>();

  /** The fault this request meets, or null for the plain reply. Each call is one request. */
  take(key: string, faults: readonly Fault[]): Fault | null {
    const met = this.#met.get(key) ?? 0;
    this.#met.set(key, met + 1);
    let before = 0;
    for (const fault of faults) {
      before += fault.times === 'always' ? Number.POSITIVE_INFINITY : fault.times;
      if (met < before) return fault;
    }
    return null;
  }
}

/** Replies that wait until their hold is released by name. A released name stays released. */
export class Holds {
  readonly #gates = new Map<
    string,
    { reached: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> }
  >();

  /** Resolves at the release, or when the client has gone. */
  async wait(name: string, signal: AbortSignal): Promise<void> {
    const gate = this.#gate(name);
    gate.reached.resolve();
    const gone = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => gone.resolve(), { once: true });
    if (signal.aborted) gone.resolve();
    await Promise.race([gate.released.promise, gone.promise]);
  }

  reached(name: string): Promise<void> {
    return this.#gate(name).reached.promise;
  }

  release(name: string): void {
    this.#gate(name).released.resolve();
  }

  #gate(name: string) {
    const known = this.#gates.get(name);
    if (known !== undefined) return known;
    const gate = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    this.#gates.set(name, gate);
    return gate;
  }
}
