/** A server that serves one user at a time is used by so many dispatches at once as its settings say. */
import type { McpServerSettings } from '../config/mcp-settings.ts';

export class Turns {
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Resolves with what gives the turn back. Rejects with the signal's reason. */
  async take({ name, dispatchesAtOnce }: McpServerSettings, signal: AbortSignal): Promise<() => void> {
    if (dispatchesAtOnce === null) return () => {};
    for (;;) {
      signal.throwIfAborted();
      const taken = this.#taken.get(name) ?? 0;
      // guard: mcp: dispatches at once
      if (taken < dispatchesAtOnce) {
        this.#taken.set(name, taken + 1);
        let isBack = false;
        return () => {
          if (isBack) return;
          isBack = true;
          this.#giveBack(name);
        };
      }
      await this.#wait(name, signal);
    }
  }

  #giveBack(name: string): void {
    this.#taken.set(name, (this.#taken.get(name) ?? 1) - 1);
    this.#waiting.get(name)?.shift()?.();
  }

  /** Whoever leaves the line because its run ended must not take the turn of the next along. */
  async #wait(name: string, signal: AbortSignal): Promise<void> {
    const line = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, line);
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        line.splice(line.indexOf(wake), 1);
        resolve();
      };
      line.push(wake);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
