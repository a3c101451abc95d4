/**
 * How long the router waits for a forge. It decides one delivery after the other, so it must not wait for ever.
 */
import { ForgeUnavailable } from '../errors.ts';

/** A forge that does not answer must not hold up the deliveries of another forge. */
const PATIENCE_MS = 10_000;
/** For this long a forge that was down is not asked again: each question would cost `PATIENCE_MS`. */
const DOWN_MS = 10_000;

export class Patience {
  readonly #now: () => number;
  readonly #down = new Map<string, { until: number; error: ForgeUnavailable }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws ForgeUnavailable without asking where the forge was down a moment ago. */
  async ask<T>(forge: string, question: () => Promise<T>): Promise<T> {
    const down = this.#down.get(forge);
    if (down !== undefined && this.#now() < down.until) throw down.error;
    try {
      return await inTime(forge, question());
    } catch (error) {
      if (error instanceof ForgeUnavailable) this.#down.set(forge, { until: this.#now() + DOWN_MS, error });
      throw error;
    }
  }
}

async function inTime<T>(forge: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = PATIENCE_MS / 1000;
      reject(
        new ForgeUnavailable(
          `${forge} did not answer within ${seconds} s. It is asked again later; check that it is up.`,
        ),
      );
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
