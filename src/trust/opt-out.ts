/** Items that opt out of agents. Pure. */
import { hasLogin } from '../logins.ts';
import type { EventItem } from '../vocabulary.ts';

/** A sentence that ends with what to do; null = agents may be woken. Labels compare without case, as logins do. */
export function optOutReason(
  forge: { name: string; optOutLabels: readonly string[] },
  item: Pick<EventItem, 'labels' | 'number'>,
): string | null {
  const label = item.labels.find((one) => hasLogin(forge.optOutLabels, one));
  // guard: opt-out: the label keeps agents away
  if (label === undefined) return null;
  return `#${item.number} has the label ${label}, so no agent is woken there (forges.${forge.name}.opt_out_labels). Take the label off, then write again`;
}
