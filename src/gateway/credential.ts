/** The present credential, and its replacement when upstream refuses it. Shared by all runs. */
import type { Log } from '../log.ts';
import type { Upstream } from './upstream.ts';

export class CredentialSource {
  readonly #upstream: () => Upstream;
  readonly #refresh: () => Promise<void> | void;
  readonly #log: Log;
  #refreshing: Promise<void> | null = null;
  /** the last replaced credential that the log has told of */
  #told: string | null = null;

  constructor(o: { upstream: () => Upstream; refresh: () => Promise<void> | void; log: Log }) {
    this.#upstream = o.upstream;
    this.#refresh = o.refresh;
    this.#log = o.log;
  }

  current(): Upstream {
    return this.#upstream();
  }

  /**
   * Upstream has refused `used`: answers the credential that has replaced it by now, or null when it is still the same.
   */
  async replacementFor(used: Upstream): Promise<Upstream | null> {
    this.#refreshing ??= this.#readAgain().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
    const current = this.#upstream();
    if (isSame(current.credential, used.credential)) return null;
    if (this.#told !== current.credential.value) {
      this.#told = current.credential.value;
      this.#log.warn(
        'The credential of the model was refused; it has been replaced, and the request repeated.',
      );
    }
    return current;
  }

  async #readAgain(): Promise<void> {
    try {
      await this.#refresh();
    } catch (error) {
      this.#log.warn(
        'The credential of the model was refused, and could not be read again. Look at the file or variable it comes from.',
        { error: String(error) },
      );
    }
  }
}

function isSame(a: Upstream['credential'], b: Upstream['credential']): boolean {
  return a.kind === b.kind && a.value === b.value;
}
