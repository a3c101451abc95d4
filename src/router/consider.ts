/** What an event would do, from the facts gathered so far. Pure, and asked once for each delivery. */
import { type RouteDecision, route } from '../flows/route.ts';
import { kitOf } from '../forges/registry.ts';
import { isSameItem } from '../item-key.ts';
import { closedIssues } from '../mailbox/conversations.ts';
import type { LabelsTold } from '../trust/labels.ts';
import { type AccountIds, forkRefusal } from '../trust/sender.ts';
import type { AgentView, ConversationView, DecisionView, EventItem, ForgeEvent } from '../vocabulary.ts';
import { type Placed, placeEvent } from './placing.ts';
import type { RoutingConfig } from './routing.ts';
import type { Standing, StandingConversation } from './standing.ts';

export interface Outlook {
  placed: Placed;
  /** null = the event names no item */
  event: (ForgeEvent & { item: EventItem }) | null;
  route: RouteDecision;
  /** why the pull request may not run, where a flow wants it */
  fork: string | null;
  /** by agent: its conversation on the item, or the one that the pull request may join */
  known: ReadonlyMap<string, StandingConversation>;
}

export interface OutlookRequest {
  config: RoutingConfig;
  ids: AccountIds;
  event: ForgeEvent;
  standing: Standing;
  labels: LabelsTold | null;
  replayed: boolean;
  /** whether the author of the pull request may let it join the conversation of an issue */
  mayJoin: boolean;
  /** what its pull request needs next; null = nobody asked, or no agent opened it */
  decision: DecisionView | null;
}

export function consider(request: OutlookRequest): Outlook {
  const { config, ids, event, standing, labels, replayed, mayJoin, decision } = request;
  const placed = placeEvent(event, standing, { replayed, labels });
  const { item } = placed.event;
  if (item === null) {
    return { placed, event: null, route: { matches: [], considered: [] }, fork: null, known: new Map() };
  }
  const forge = config.forges[event.forge]!;
  const about = { ...placed.event, item };
  const agents = agentViews(config, event.forge);
  const known = new Map<string, StandingConversation>();
  for (const agent of agents.keys()) {
    const own = ownConversation(standing, agent, item);
    const found = own ?? (mayJoin ? joinable(standing, agent, item) : undefined);
    if (found !== undefined) known.set(agent, found);
  }
  const routed = route({
    event: about,
    agents,
    ids,
    senderIs: kitOf(forge.kind).accountOf(about.sender),
    bots: forge.allowedBots,
    conversations: (agent) => viewOf(known.get(agent)),
    flows: config.flows,
    ...(decision === null ? {} : { decision }),
  });
  // guard: trust: forks at the routing
  const fork = routed.matches.length === 0 ? null : forkRefusal(forge, about.pull);
  return { placed, event: about, route: routed, fork, known };
}

/** The forge is asked about a sender only when a flow wants the event. Most events are wanted by none. */
export function wantsSender({ route: { matches }, fork }: Outlook): boolean {
  return matches.length > 0 && fork === null;
}

/** Whether the pull request would join a conversation if its author may. Only then it makes a difference who that is. */
export function wouldJoin(standing: Standing, agents: Iterable<string>, item: EventItem | null): boolean {
  if (item === null) return false;
  return [...agents].some(
    (agent) =>
      ownConversation(standing, agent, item) === undefined && joinable(standing, agent, item) !== undefined,
  );
}

function ownConversation(
  { conversations }: Standing,
  agent: string,
  item: EventItem,
): StandingConversation | undefined {
  return conversations.find((c) => c.agent === agent && isSameItem(c.on, item));
}

/** The conversation of the first issue that the text of a pull request closes, where there is one. */
function joinable(
  { conversations }: Standing,
  agent: string,
  { kind, body }: EventItem,
): StandingConversation | undefined {
  if (kind !== 'pull') return undefined;
  for (const number of closedIssues(body)) {
    const named = conversations.filter((c) => c.agent === agent && c.on.number === number);
    // A text says `#5` and no kind: the issue, where there is a pull request of that number as well.
    const found = named.find((c) => c.on.kind === 'issue') ?? named[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

function viewOf(known: StandingConversation | undefined): ConversationView {
  return known === undefined
    ? { exists: false, dispatches: 0, branch: null, itemNumber: null }
    : {
        exists: true,
        dispatches: known.dispatches,
        branch: known.branch,
        itemNumber: known.itemNumber,
      };
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
