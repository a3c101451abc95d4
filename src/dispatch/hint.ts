/** A hint that rows may have changed: whoever waits looks now and not at its next turn. The rows stay the truth. */
export class Hint {
  #given = 0;
  readonly #waiting = new Set<() => void>();

  /** How many were given: `wait` names the number it knows, so that none is missed between two waits. */
  get given(): number {
    return this.#given;
  }

  give(): void {
    this.#given += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next hint after `known`, after `ms` at the latest. Rejects when `signal` aborts. */
  async wait(ms: number, { known, signal }: { known: number; signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    if (this.#given !== known) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      const timer = setTimeout(end, ms).unref();
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }
}
