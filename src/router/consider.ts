/** What an event would do, from the rows as they are. Reads only. */

import type { Rows } from '../database/database.ts';
import { type RouteDecision, route } from '../flows/route.ts';
import type { LabelsTold } from '../trust/labels.ts';
import { forkRefusal } from '../trust/sender.ts';
import type { AgentView, EventItem, ForgeEvent } from '../vocabulary.ts';
import { type Placed, placeEvent } from './items.ts';
import type { RouterDeps, RoutingConfig } from './routing.ts';
import { conversationsOnItem, viewOf } from './views.ts';

export interface Outlook {
  placed: Placed;
  /** null = the event names no item */
  event: (ForgeEvent & { item: EventItem }) | null;
  route: RouteDecision;
  /** why the pull request may not run, where a flow wants it */
  fork: string | null;
  /** agents that have a conversation on the item, or one that its pull request may join */
  known: ReadonlySet<string>;
  /** the pull request would join a conversation if its author may, and that was not asked yet */
  asksAuthor: boolean;
}

export interface OutlookRequest {
  rows: Rows;
  config: RoutingConfig;
  trust: Pick<RouterDeps['trust'], 'ids'>;
  event: ForgeEvent;
  labels: LabelsTold | null;
  replayed: boolean;
  /** whether the author of the pull request may let it join the conversation of an issue; null = it was not asked */
  mayJoin: boolean | null;
}

export async function consider(request: OutlookRequest): Promise<Outlook> {
  const { rows, config, trust, event, labels, replayed, mayJoin } = request;
  const placed = await placeEvent(rows, event, { replayed, labels });
  const { item } = placed.event;
  if (item === null) {
    const nothing = { matches: [], considered: [] };
    return { placed, event: null, route: nothing, fork: null, known: new Set(), asksAuthor: false };
  }
  const forge = config.forges[event.forge]!;
  const about = { ...placed.event, item };
  const agents = agentViews(config, event.forge);
  let asksAuthor = false;
  const known = await conversationsOnItem(rows, about, [...agents.keys()], () => {
    asksAuthor ||= mayJoin === null;
    return mayJoin === true;
  });
  const routed = route({
    event: about,
    agents,
    ids: trust.ids(forge),
    bots: forge.allowedBots,
    conversations: (agent) => viewOf(known.get(agent)),
    flows: config.flows,
  });
  // guard: trust: forks at the routing
  const fork = routed.matches.length === 0 ? null : forkRefusal(forge, about.pull);
  return { placed, event: about, route: routed, fork, known: new Set(known.keys()), asksAuthor };
}

/** Most events want nobody, and their senders are nobody's business. */
export function wantsSender({ route: { matches }, fork }: Outlook): boolean {
  return matches.length > 0 && fork === null;
}

function agentViews(config: RoutingConfig, forge: string): Map<string, AgentView | null> {
  const accounts = config.forges[forge]?.accounts ?? {};
  return new Map(
    [...config.agents.keys()].map((name) => {
      const account = accounts[name];
      return [name, account === undefined ? null : { name, login: account.login }];
    }),
  );
}
