/** What a delivery means, whichever kind of forge sent it. Pure. */
import type { ParseDelivery } from './kit.ts';
import { FORGE_KINDS, findKit, kitOf } from './registry.ts';

/** By the kind that the headers name, which is not always the configured one: families understand each other. */
export const parseDelivery: ParseDelivery = (forge, headers, body) => {
  const kit = findKit(headers.kind);
  if (kit === null) {
    const known = FORGE_KINDS.map((kind) => kitOf(kind).title).join(', ');
    return { kind: 'ignored', reason: `${headers.kind} is not served; deliveries of ${known} are` };
  }
  return kit.parse(forge, headers, body);
};
