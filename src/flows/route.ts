/** Which agents an event wakes, and why each flow matched or did not. Pure. */
import type { Clause, ConditionContext, Flow, SenderView } from '../config/config.ts';
import { hasLogin, sameLogin } from '../logins.ts';
import {
  type AgentView,
  type ConversationView,
  type DecisionView,
  type ForgeEvent,
  NO_DECISION,
} from '../vocabulary.ts';
import { valuesOf } from './clause-values.ts';

export interface RouteRequest {
  event: ForgeEvent;
  /** every agent by name; null = it has no account on the event's forge */
  agents: ReadonlyMap<string, AgentView | null>;
  /** ids of the agents' accounts, as far as they are known; an id counts more than a login */
  ids: ReadonlyMap<string, number>;
  /** what kind of account the sender is on the forge */
  senderIs: 'person' | 'robot' | 'deleted';
  /** logins of robots that are not ours */
  bots: readonly string[];
  /** the agent's conversation on the event's item; called at most once for each agent */
  conversations: (agent: string) => ConversationView;
  flows: readonly Flow[];
  /** what the pull request needs next; left out, the event is about none of an agent */
  decision?: DecisionView;
}

export interface RouteMatch {
  flow: string;
  agent: string;
  skill: string;
  with: Readonly<Record<string, unknown>>;
  priority: number;
  /** its flow asked what the pull request needs next */
  decided: boolean;
}

export type Verdict =
  | 'matched'
  | 'disabled'
  | 'other-event'
  | 'no-account'
  | 'own-event'
  | 'condition-failed'
  | 'condition-error'
  | 'outranked';

/** The result for one flow; stored with the delivery and printed by `explain`. */
export interface Considered {
  flow: string;
  agent: string;
  verdict: Verdict;
  /** the clause that failed */
  clause?: string;
  /** values of the paths named in that clause, long ones shortened */
  values?: Record<string, unknown>;
  detail?: string;
}

export interface RouteDecision {
  /** at most one for each agent */
  matches: RouteMatch[];
  /** every flow, in the order given */
  considered: Considered[];
}

export function route(request: RouteRequest): RouteDecision {
  const { event, agents, conversations, flows, decision = NO_DECISION } = request;
  const sender = senderView(request);
  const logins = [...agents.values()].flatMap((view) => (view === null ? [] : [view.login]));
  const asked = new Map<string, ConversationView>();
  const conversationOf = (agent: string): ConversationView => {
    const known = asked.get(agent) ?? conversations(agent);
    asked.set(agent, known);
    return known;
  };
  const considered = flows.map((flow): Considered => {
    const answer = beforeConditions(flow, request);
    if (typeof answer !== 'object') return { flow: flow.name, agent: flow.agent, verdict: answer };
    const conversation = conversationOf(flow.agent);
    const context = { event, agent: answer, conversation, sender, agents: logins, decision };
    return { flow: flow.name, agent: flow.agent, ...judge(flow.clauses, context) };
  });
  const winners = bestByAgent(flows.filter((_, index) => considered[index]!.verdict === 'matched'));
  return {
    matches: [...winners.values()].map(matchOf),
    considered: considered.map((entry, index) => outranked(entry, flows[index]!, winners.get(entry.agent))),
  };
}

function beforeConditions(
  flow: Flow,
  request: RouteRequest,
): AgentView | 'disabled' | 'other-event' | 'no-account' | 'own-event' {
  if (!flow.enabled) return 'disabled';
  if (!flow.on.some((name) => name === request.event.name)) return 'other-event';
  const agent = request.agents.get(flow.agent) ?? null;
  if (agent === null) return 'no-account';
  // guard: own events
  return isOwn(request, agent) ? 'own-event' : agent;
}

/**
 * An agent is never woken by what it did itself. The result of a CI run is not the agent's doing, although the forge
 * names whoever pushed as the sender.
 */
function isOwn(request: RouteRequest, agent: AgentView): boolean {
  return !request.event.name.startsWith('ci.') && isAccountOf(request, agent);
}

function senderView(request: RouteRequest): SenderView {
  const { login } = request.event.sender;
  const agent = [...request.agents.values()].find((view) => view !== null && isAccountOf(request, view));
  const isBot = hasLogin(request.bots, login);
  return { login, agent: agent?.name ?? '', person: !agent && !isBot && request.senderIs === 'person' };
}

/** A login can be given up and taken by a stranger; an id cannot. */
function isAccountOf({ event, ids }: RouteRequest, agent: AgentView): boolean {
  const id = ids.get(agent.name);
  return id === undefined ? sameLogin(event.sender.login, agent.login) : event.sender.id === id;
}

function judge(clauses: readonly Clause[], context: ConditionContext): Omit<Considered, 'flow' | 'agent'> {
  for (const clause of clauses) {
    const result = clause.evaluate(context);
    if (result.kind === 'holds') continue;
    const seen = { clause: clause.text, values: valuesOf(clause.paths, context) };
    if (result.kind === 'fails') return { verdict: 'condition-failed', ...seen };
    return { verdict: 'condition-error', ...seen, detail: result.error };
  }
  return { verdict: 'matched' };
}

function bestByAgent(matched: readonly Flow[]): Map<string, Flow> {
  const best = new Map<string, Flow>();
  for (const flow of matched) {
    const other = best.get(flow.agent);
    if (other === undefined || flow.priority > other.priority) best.set(flow.agent, flow);
  }
  return best;
}

function outranked(entry: Considered, flow: Flow, winner: Flow | undefined): Considered {
  if (entry.verdict !== 'matched' || winner === undefined || winner === flow) return entry;
  const reason =
    winner.priority > flow.priority
      ? `has priority ${winner.priority}, this flow ${flow.priority}`
      : `comes first, at the same priority ${flow.priority}`;
  return { ...entry, verdict: 'outranked', detail: `flow ${winner.name} ${reason}` };
}

function matchOf(flow: Flow): RouteMatch {
  const { name, agent, skill, priority } = flow;
  return { flow: name, agent, skill, with: flow.with, priority, decided: readsDecision(flow) };
}

/** Whether one of its conditions reads what the pull request needs next. */
export function readsDecision({ clauses }: Pick<Flow, 'clauses'>): boolean {
  return clauses.some(({ paths }) => paths.some((path) => path.startsWith('decision.')));
}
