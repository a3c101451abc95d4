/** Keeps the lease while somebody is attached, and hears what ends it: the lease is lost, or somebody asks that it stops. */
import type { Database } from '../database/database.ts';
import { LeaseLost } from '../errors.ts';
import { stopAskedOf } from '../mailbox/cancelling.ts';
import { type Lease, renewLease } from '../mailbox/leases.ts';

export interface HeldLease {
  /** aborts with a string reason */
  signal: AbortSignal;
  /** what ended it from outside, in sentences for whoever is attached */
  sentences(): string[];
  stop(): void;
}

const LOOK_EVERY_MS = 1000;

export function holdLease(
  lease: Lease,
  { database, now }: { database: Database; now: () => number },
  { leaseMs, signal: given }: { leaseMs: number; signal: AbortSignal },
): HeldLease {
  const abort = new AbortController();
  const sentences: string[] = [];
  const end = (sentence: string) => {
    if (abort.signal.aborted) return;
    sentences.push(sentence);
    abort.abort(sentence);
  };
  const renewing = setInterval(() => {
    // A database that is away for a moment is asked again; the lease outlives some of these.
    renewLease(database.rows, lease, now() + leaseMs).catch((error: unknown) => {
      if (error instanceof LeaseLost) {
        end(
          'The lease was lost: this machine was too slow to renew it, or slept. The service goes on by itself.',
        );
      }
    });
  }, leaseMs / 3);
  const looking = setInterval(() => {
    stopAskedOf(database.rows, lease.dispatch.id).then(
      (asked) => {
        // guard: attach: cancel ends it
        if (asked !== null) end(`You were detached: ${asked}.`);
      },
      () => {},
    );
  }, LOOK_EVERY_MS);
  const stopped = () => abort.abort('the command was stopped');
  given.addEventListener('abort', stopped, { once: true });
  if (given.aborted) stopped();
  return {
    signal: abort.signal,
    sentences: () => sentences,
    stop: () => {
      clearInterval(renewing);
      clearInterval(looking);
      given.removeEventListener('abort', stopped);
    },
  };
}
