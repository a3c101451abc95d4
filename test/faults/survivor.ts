/**
 * One conversation for case after case: a dispatch has gone well before the first of them, and all live on in it. A case
 * that failed ends it, and the next one begins another.
 */
import { onTestFailed } from 'vitest';
import type { DialectName } from '../../src/database/dialect.ts';
import { Injector } from './injector.ts';

export class Survivor {
  readonly #what: { id: string; dialect: DialectName };
  #injector: Injector | null = null;
  #isWhole = false;

  constructor(what: { id: string; dialect: DialectName }) {
    this.#what = what;
  }

  /** The service runs and is idle. Asked once in a test. */
  async next(): Promise<Injector> {
    if (!this.#isWhole) {
      await this.close();
      this.#injector = await Injector.open(this.#what);
      await this.#injector.start();
      await this.#injector.live();
      this.#isWhole = true;
    }
    onTestFailed(() => {
      this.#isWhole = false;
    });
    return this.#injector!;
  }

  async close(): Promise<void> {
    await this.#injector?.close();
    this.#injector = null;
  }
}
