/**
 * The router: an accepted delivery becomes messages in mailboxes and dispatches to come, or a stored reason why
 * not. What has to be asked of the forge is asked first, outside of any transaction: an open one would hold up every
 * other writer. Then everything about one delivery is one transaction: after a crash it is decided wholly or not at all.
 */
import type { DeliveryRow } from './database/tables.ts';
import { ForgeRefused, ForgeUnavailable } from './errors.ts';
import { faultPoint } from './faults.ts';
import {
  claimDelivery,
  type DeliveryAbout,
  nextDelivery,
  postponeDelivery,
  settleDelivery,
} from './inbox.ts';
import { decide } from './router/decide.ts';
import { type Facts, gatherFacts } from './router/facts.ts';
import type { RouterDeps } from './router/routing.ts';
import { tellDecision, tellPostponed } from './router/told.ts';

/** Decides the oldest undecided delivery. Answers false when there was none. */
export async function routeNext(deps: RouterDeps): Promise<boolean> {
  for (;;) {
    const delivery = await nextDelivery(deps.database.rows, deps.now());
    if (delivery === undefined) return false;
    try {
      const outcome = await decideOne(deps, delivery);
      if (outcome !== 'decided') continue;
      faultPoint('routing.committed');
    } catch (error) {
      await postpone(deps, delivery, error);
    }
    return true;
  }
}

/** `taken`: another process decided it meanwhile. `changed`: the rows did, and other facts have to be gathered. */
type Outcome = 'decided' | 'taken' | 'changed';

async function decideOne(deps: RouterDeps, delivery: DeliveryRow): Promise<Outcome> {
  const facts = await gatherFacts(deps, delivery);
  // guard: routing transaction
  const outcome = await deps.database.transaction(async (tx) => {
    if (!(await claimDelivery(tx, deps.database.dialect, delivery.id))) return 'taken';
    const decided = await decide(tx, { deps, delivery, facts });
    if (decided === null) return 'changed';
    // guard: cli: a delivery keeps what it was about
    await settleDelivery(tx, { id: delivery.id, now: deps.now(), about: aboutOf(facts), ...decided });
    faultPoint('routing.decided');
    return decided;
  });
  if (typeof outcome === 'string') return outcome;
  tellDecision(deps, { delivery, facts, decided: outcome });
  return 'decided';
}

function aboutOf({ event }: Facts): DeliveryAbout | null {
  if (event === null) return null;
  const { repository, item, sender } = event;
  const number = Number.isSafeInteger(item?.number) ? item!.number : null;
  return { repository: repository.fullName, number, sender: sender.login };
}

async function postpone(deps: RouterDeps, delivery: DeliveryRow, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  // guard: trust: a forge that is down
  const patient = error instanceof ForgeUnavailable || error instanceof ForgeRefused;
  const failure = { delivery, reason, patient, now: deps.now() };
  const what = await postponeDelivery(deps.database.rows, failure);
  tellPostponed(deps, { delivery, what, reason });
}
