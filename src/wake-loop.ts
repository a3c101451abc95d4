/** A loop that works while there is work, then waits until it is woken or its time has come. */

export interface WakeLoop {
  /** A hint that there is work now. During a step it counts for the next one, so no wake is lost. */
  wake(): void;
  /** Ends the wait, lets a step that runs come to its end, and begins no other. */
  stop(): Promise<void>;
}

/**
 * `step` answers how many milliseconds to wait at most; 0 = there may be more work, go on at once. It handles its own
 * errors: one that it throws ends the loop, and is thrown by `stop`.
 */
export function startWakeLoop(step: () => Promise<number>): WakeLoop {
  let stopped = false;
  let woken = false;
  let endWait: () => void = () => {};
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (woken || stopped) return resolve();
      const timer = setTimeout(resolve, ms);
      endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const loop = (async () => {
    while (!stopped) {
      woken = false;
      const ms = await step();
      if (ms > 0) await wait(ms);
    }
  })();
  const wake = () => {
    woken = true;
    endWait();
  };
  return {
    wake,
    stop: async () => {
      stopped = true;
      wake();
      await loop;
    },
  };
}
