/**
 * The router: an accepted delivery becomes messages in mailboxes and dispatches to come, or a stored reason why not.
 * Gather the facts, the forge's answers among them, outside of any transaction; decide once; write in one transaction.
 */
import type { DeliveryRow } from './database/tables.ts';
import { ForgeRefused, ForgeUnavailable } from './errors.ts';
import { faultPoint } from './faults.ts';
import { nextDelivery, postponeDelivery } from './inbox.ts';
import { decide } from './router/decide.ts';
import { gatherFacts } from './router/gather.ts';
import type { RouterDeps } from './router/routing.ts';
import { tellDecision, tellPostponed } from './router/told.ts';
import { writeDecision } from './router/write.ts';

/** Decides the oldest undecided delivery. Answers false when there was none. */
export async function routeNext(deps: RouterDeps): Promise<boolean> {
  for (;;) {
    const delivery = await nextDelivery(deps.database.rows, deps.now());
    if (delivery === undefined) return false;
    try {
      if ((await routeOne(deps, delivery)) === 'taken') continue;
      faultPoint('routing.committed');
    } catch (error) {
      await postpone(deps, delivery, error);
    }
    return true;
  }
}

/** What a decision rests on changes when another process routes, or a run joins a pull request to its conversation. */
const MOST_DECISIONS = 10;

/** `taken`: another process decided it meanwhile. */
async function routeOne(deps: RouterDeps, delivery: DeliveryRow): Promise<'routed' | 'taken'> {
  for (let n = 0; n < MOST_DECISIONS; n++) {
    const facts = await gatherFacts(deps, delivery);
    if (facts === null) return 'taken';
    const decision = decide(facts);
    const written = await writeDecision(deps, { delivery, facts, decision });
    if (written === 'taken') return 'taken';
    if (written === 'changed') continue;
    tellDecision(deps, { delivery, facts, decision, messages: written.messages });
    return 'routed';
  }
  throw new Error(
    `What this delivery is about changed ${MOST_DECISIONS} times while it was decided. It is tried again.`,
  );
}

async function postpone(deps: RouterDeps, delivery: DeliveryRow, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  // guard: trust: a forge that is down
  const patient = error instanceof ForgeUnavailable || error instanceof ForgeRefused;
  const failure = { delivery, reason, patient, now: deps.now() };
  const what = await postponeDelivery(deps.database.rows, failure);
  tellPostponed(deps, { delivery, what, reason });
}
