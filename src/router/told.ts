/** What the log and the metrics are told of a delivery: whose it is, what it says happened where, and what was decided. */
import type { DeliveryRow } from '../database/tables.ts';
import { isOurAccount } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { Decided } from './decide.ts';
import type { Facts } from './facts.ts';
import type { DecisionName, RouterDeps } from './routing.ts';

/** Our own doing comes back as deliveries, and we ask ourselves: most of what arrives, and nobody has to read of it. */
export function tellDecision(
  deps: RouterDeps,
  { delivery, facts, decided }: { delivery: DeliveryRow; facts: Facts; decided: Decided },
): void {
  const { event } = facts;
  const { verdict } = decided;
  const decision = nameOf(deps, facts, decided);
  const woken = decided.decision?.messages ?? [];
  const isOurs = decision === 'echo' || (delivery.source === 'look' && decision === 'ignored');
  // guard: an echo is debug
  deps.log[isOurs ? 'debug' : 'info'](`delivery ${decision}`, {
    ...place(delivery, event),
    ...(woken.length === 0
      ? {}
      : {
          wakes: woken.map((m) => m.agent),
          flow: woken.map((m) => m.flow),
          dispatch: woken.map((m) => m.dispatch),
        }),
    ...(verdict.state === 'duplicate' ? { of: verdict.of } : {}),
    reason: 'reason' in verdict ? verdict.reason : (decided.decision?.note ?? null),
    ...ids(delivery),
  });
  count(deps, { delivery, event, decision });
}

/** It is asked again, or given up; `reason` is what went wrong. */
export function tellPostponed(
  deps: RouterDeps,
  o: { delivery: DeliveryRow; what: 'postponed' | 'failed'; reason: string },
): void {
  const { delivery, what, reason } = o;
  deps.log.error(`delivery ${what}: it could not be routed`, {
    ...place(delivery, null),
    attempt: delivery.attempts + 1,
    reason,
    ...ids(delivery),
  });
  count(deps, { delivery, event: null, decision: what });
}

function place(delivery: DeliveryRow, event: ForgeEvent | null) {
  const where = event?.repository.fullName ?? null;
  return {
    forge: delivery.forge,
    event: event?.name ?? null,
    item: where !== null && event?.item != null ? `${where}#${event.item.number}` : where,
    sender: event?.sender.login ?? null,
    source: delivery.source === 'webhook' ? null : delivery.source,
  };
}

/** Ours, and the one that the history of the forge's hook shows. */
function ids(delivery: DeliveryRow) {
  return { delivery: delivery.id, forgeDelivery: delivery.forge_delivery_id };
}

function nameOf(deps: RouterDeps, facts: Facts, { verdict, kind }: Decided): DecisionName {
  if (verdict.state === 'routed' || verdict.state === 'failed') return verdict.state;
  if (kind === 'refused') return 'refused';
  if (facts.kind === 'event' && isOurAccount(facts.forge, deps.trust.ids(facts.forge), facts.event.sender)) {
    return 'echo';
  }
  return verdict.state === 'duplicate' ? 'duplicate' : (kind ?? 'ignored');
}

function count(
  deps: RouterDeps,
  o: { delivery: DeliveryRow; event: ForgeEvent | null; decision: DecisionName },
): void {
  deps.decided?.({ forge: o.delivery.forge, event: o.event?.name ?? 'none', decision: o.decision });
}
