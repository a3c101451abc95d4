/** What the tunnels of one run may take together, and each alone. */

export interface EgressLimits {
  /** all tunnels of the run together */
  sentBytes: number;
  receivedBytes: number;
  /** at once, and in the whole run */
  connections: number;
  requests: number;
  /** one tunnel */
  lifeMs: number;
  idleMs: number;
  helloMs: number;
}

/** What is no option: enough for any tool, and an end for one that hangs. */
export const FIXED_LIMITS: Omit<EgressLimits, 'sentBytes' | 'receivedBytes' | 'connections'> = {
  requests: 2000,
  lifeMs: 60 * 60_000,
  idleMs: 5 * 60_000,
  helloMs: 10_000,
};

/** Counts what passes. */
export class Budget {
  readonly limits: EgressLimits;
  #sent = 0;
  #received = 0;

  constructor(limits: EgressLimits) {
    this.limits = limits;
  }

  /** false: these bytes would be too many, and do not count */
  send(bytes: number): boolean {
    if (this.#sent + bytes > this.limits.sentBytes) return false;
    this.#sent += bytes;
    return true;
  }

  receive(bytes: number): boolean {
    if (this.#received + bytes > this.limits.receivedBytes) return false;
    this.#received += bytes;
    return true;
  }
}
