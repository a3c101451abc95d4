/** A task that goes from gate to gate only when it is told to, so that a test decides what happens in between. */

export type Gate = (name: string) => Promise<void>;

export class Paced {
  /** the gate it stands at; null when it has ended */
  at: string | null = null;
  #go: () => void = () => {};
  #stopped = Promise.withResolvers<void>();
  #failure: { error: unknown } | null = null;

  /** Begins at once and runs to its first gate; `advance` waits for that, too. */
  constructor(task: (gate: Gate) => Promise<void>) {
    this.at = 'begin';
    const begin = new Promise<void>((resolve) => {
      this.#go = resolve;
    });
    const gate: Gate = (name) =>
      new Promise((resolve) => {
        this.at = name;
        this.#go = resolve;
        this.#stopped.resolve();
      });
    void begin
      .then(() => task(gate))
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.at = null;
        this.#stopped.resolve();
      });
  }

  /** To the next gate or to the end; throws what the task threw. */
  async advance(): Promise<void> {
    if (this.at === null) return;
    this.#stopped = Promise.withResolvers<void>();
    this.#go();
    await this.#stopped.promise;
    if (this.#failure !== null) throw this.#failure.error;
  }
}
