/** Work that must not overlap runs one after another, first come first served. None of it may wait for itself: not reentrant. */

/** One holder at a time. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Work that fails tells its caller, and lets the next begin. */
  hold<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#tail.then(work);
    this.#tail = mine.then(nothing, nothing);
    return mine;
  }

  /** Resolves when all that has been asked for until now has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}

/** One holder at a time per key; keys that nobody holds take no memory. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();

  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.then(nothing, nothing);
    this.#tails.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === settled) this.#tails.delete(key);
    }
  }

  /** Keys that are held or waited for. */
  get size(): number {
    return this.#tails.size;
  }
}

function nothing(): void {}
