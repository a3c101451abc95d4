/** Which subscriptions of a hook the flows need. Pure; which subscription sends what, the forge's kit says. */
import type { Flow, ForgeConfig } from '../config/config.ts';
import type { PartialSubscription } from '../forges/kit.ts';
import { kitOf } from '../forges/registry.ts';

export interface MissingEvent {
  subscription: string;
  flows: string[];
}

/** Of the flows that can act on this forge, those whose event this hook will not send. */
export function missingEvents(
  hook: { events: readonly string[] },
  forge: Pick<ForgeConfig, 'kind' | 'accounts'>,
  flows: readonly Flow[],
): MissingEvent[] {
  const sent = new Set(hook.events);
  const { hooks } = kitOf(forge.kind);
  const missing = new Map<string, Set<string>>();
  for (const flow of flowsThatAct(forge, flows)) {
    for (const name of flow.on.flatMap((event) => hooks.lacking(event, sent))) {
      missing.set(name, (missing.get(name) ?? new Set()).add(flow.name));
    }
  }
  return [...missing].map(([subscription, names]) => ({ subscription, flows: [...names] }));
}

export interface PartialEvents extends PartialSubscription {
  flows: string[];
}

/** Of the flows that can act on this forge, those whose event this hook sends in part only. */
export function partialEvents(
  hook: { events: readonly string[] },
  forge: Pick<ForgeConfig, 'kind' | 'accounts'>,
  flows: readonly Flow[],
): PartialEvents[] {
  const sent = new Set(hook.events);
  const { hooks } = kitOf(forge.kind);
  const found = new Map<string, PartialEvents>();
  for (const flow of flowsThatAct(forge, flows)) {
    const partial = flow.on.flatMap((event) => hooks.partial(event, sent) ?? [])[0];
    if (partial === undefined) continue;
    const known = found.get(partial.problem);
    if (known === undefined) found.set(partial.problem, { ...partial, flows: [flow.name] });
    else known.flows.push(flow.name);
  }
  return [...found.values()];
}

function flowsThatAct(forge: Pick<ForgeConfig, 'accounts'>, flows: readonly Flow[]): Flow[] {
  return flows.filter(({ enabled, agent }) => enabled && Object.hasOwn(forge.accounts, agent));
}
