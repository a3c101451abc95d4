/** What the log and the metrics are told of a delivery: whose it is, what it says happened where, and what was decided. */
import type { DeliveryRow } from '../database/tables.ts';
import { isOurAccount } from '../trust/sender.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { Decision } from './decide.ts';
import type { Facts } from './gather.ts';
import type { DecisionName, RouterDeps, StoredDecision } from './routing.ts';

interface Told {
  delivery: DeliveryRow;
  facts: Facts;
  decision: Decision;
  messages: StoredDecision['messages'];
}

/** Most deliveries are echoes of what our agents did, or looks of our own. Nobody has to read of those: they are debug. */
export function tellDecision(deps: RouterDeps, { delivery, facts, decision, messages: woken }: Told): void {
  const { event } = facts;
  const { result, explained } = decision;
  const name = nameOf(facts, decision);
  const isOurs = name === 'echo' || (delivery.source === 'look' && name === 'ignored');
  // guard: an echo is debug
  deps.log[isOurs ? 'debug' : 'info'](`delivery ${name}`, {
    ...place(delivery, event),
    ...(woken.length === 0
      ? {}
      : {
          wakes: woken.map((m) => m.agent),
          flow: woken.map((m) => m.flow),
          dispatch: woken.map((m) => m.dispatch),
        }),
    ...(result.state === 'duplicate' ? { of: result.of } : {}),
    reason: 'reason' in result ? result.reason : (explained?.note ?? null),
    ...ids(delivery),
  });
  count(deps, { delivery, event, decision: name });
}

/** A delivery could not be routed, for this reason: it is tried again, or given up. */
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

function nameOf(facts: Facts, { result, kind }: Decision): DecisionName {
  if (result.state === 'routed' || result.state === 'failed') return result.state;
  if (kind === 'refused') return 'refused';
  if (facts.kind !== 'ended' && isOurAccount(facts.forge, facts.ids, facts.event.sender)) return 'echo';
  return result.state === 'duplicate' ? 'duplicate' : (kind ?? 'ignored');
}

function count(
  deps: RouterDeps,
  o: { delivery: DeliveryRow; event: ForgeEvent | null; decision: DecisionName },
): void {
  deps.decided?.({ forge: o.delivery.forge, event: o.event?.name ?? 'none', decision: o.decision });
}
