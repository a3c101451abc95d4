/**
 * The worker: leases conversations and runs their dispatches, as many at once as it may, each under a lease that is
 * renewed while it runs. Rows are the truth; `wake` is a hint that saves the wait for the next look.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ABORT, type DispatchDeps } from './dispatch/dispatch.ts';
import { Hint } from './dispatch/hint.ts';
import { endLeftTerminals } from './dispatch/left-terminals.ts';
import { runDispatch } from './dispatch.ts';
import { faultPoint } from './faults.ts';
import { endHolds } from './mailbox/holds.ts';
import { type Lease, leaseConversation, renewLease } from './mailbox/leases.ts';
import { rescueExpired } from './mailbox/settlement.ts';
import { startWakeLoop } from './wake-loop.ts';

export interface WorkerOptions {
  /** unique among all workers that ever were */
  id: string;
  concurrency: number;
  leaseMs: number;
  runTimeoutMs: number;
}

export interface Worker {
  wake(): void;
  running(): number;
  /** Leases nothing more, waits for what runs, interrupts what is left after `graceMs`, and ends. */
  drain(graceMs: number): Promise<void>;
}

/** The CLI needs about 2 s to end, and what it wrote has to be archived. */
const AFTER_ABORT_MS = 20_000;

/** Longest time between two looks at the queue. */
const LOOK_EVERY_MS = 2000;

export function startWorker(options: WorkerOptions, deps: DispatchDeps): Worker {
  const routed = new Hint();
  const running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  const launch = (lease: Lease): void => {
    const abort = new AbortController();
    const done = runLeased(lease, options, deps, { abort, routed })
      .catch((error: unknown) => {
        const { stack } = error as Error;
        deps.log.error('dispatch was lost to a bug', { dispatch: lease.dispatch.id, error, stack });
      })
      .finally(() => {
        running.delete(lease.dispatch.id);
        loop.wake();
      });
    running.set(lease.dispatch.id, { abort, done });
  };
  const loop = startWakeLoop(async () => {
    const lease = running.size < options.concurrency ? await leaseNext(options, deps) : null;
    if (lease === null) return await untilNextDue(deps);
    faultPoint('lease.taken');
    launch(lease);
    return 0;
  });

  return {
    wake: () => {
      routed.give();
      loop.wake();
    },
    running: () => running.size,
    drain: async (graceMs) => {
      await loop.stop();
      const all = Promise.allSettled([...running.values()].map((r) => r.done));
      const timer = setTimeout(() => {
        for (const { abort } of running.values()) abort.abort('the service was stopped');
      }, graceMs);
      // A forge that says nothing can hold a dispatch longer than anybody waits; its row is rescued at the next start.
      await Promise.race([all, sleep(graceMs + AFTER_ABORT_MS, undefined, { ref: false })]);
      clearTimeout(timer);
    },
  };
}

async function leaseNext(options: WorkerOptions, deps: DispatchDeps): Promise<Lease | null> {
  try {
    for (const { id, label } of await endHolds(deps.database.rows, deps.now())) {
      deps.log.info(`${label} is not held any more, the time of its hold is over`, { hold: id });
    }
    await deps.budgets.look();
    const gone = await endLeftTerminals(deps);
    if (gone.length > 0) deps.log.warn('the terminal of somebody attached is gone', { dispatches: gone });
    const rescued = await rescueExpired(deps.database, {
      now: deps.now(),
      deadWorkers: 'expired-only',
      reason: 'its worker stopped renewing the lease',
    });
    if (rescued.length > 0)
      deps.log.warn('dispatches of a silent worker wait again', { dispatches: rescued });
    const agents = deps.config().agents;
    return await leaseConversation(deps.database, {
      worker: options.id,
      now: deps.now(),
      leaseMs: options.leaseMs,
      agentLimits: new Map([...agents.values()].map((a) => [a.name, a.concurrency])),
      models: new Map([...agents.values()].map((a) => [a.name, a.model])),
    });
  } catch (error) {
    // A database that is away for a moment must not end the worker; the next look asks again.
    deps.log.error(`the queue could not be read: ${String(error)}`);
    return null;
  }
}

async function untilNextDue(deps: DispatchDeps): Promise<number> {
  try {
    const next = await deps.database.rows
      .selectFrom('dispatches')
      .select((e) => e.fn.min('due_at').as('due'))
      .where('state', 'in', ['queued', 'parked', 'interrupted'])
      .where('due_at', '>', deps.now())
      .executeTakeFirst();
    const due = next?.due === null || next?.due === undefined ? Infinity : Number(next.due);
    return Math.max(5, Math.min(LOOK_EVERY_MS, due - deps.now()));
  } catch {
    return LOOK_EVERY_MS;
  }
}

async function runLeased(
  lease: Lease,
  options: WorkerOptions,
  deps: DispatchDeps,
  { abort, routed }: { abort: AbortController; routed: Hint },
): Promise<void> {
  const heartbeat = setInterval(() => {
    renewLease(deps.database.rows, lease, deps.now() + options.leaseMs).catch((error: unknown) => {
      deps.log.warn(`lease of ${lease.conversation.id} not renewed: ${String(error)}`);
      if ((error as Error).name === 'LeaseLost') abort.abort(ABORT.leaseLost);
    });
  }, options.leaseMs / 3);
  const timeout = setTimeout(() => abort.abort(ABORT.timeout), options.runTimeoutMs);
  try {
    await runDispatch(lease, deps, { signal: abort.signal, routed });
  } finally {
    clearInterval(heartbeat);
    clearTimeout(timeout);
  }
}
