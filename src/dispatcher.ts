/**
 * The dispatcher: an accepted delivery becomes messages in mailboxes and dispatches to come, or a stored reason why
 * not. Everything about one delivery is one transaction: after a crash it is decided wholly or not at all.
 */
import type { AgentConfig, Flow, ForgeConfig } from './config/config.ts';
import type { Database, Rows } from './database/database.ts';
import type { ConversationRow, DeliveryRow } from './database/tables.ts';
import { placeEvent } from './dispatcher/items.ts';
import { conversationsOnItem, viewOf } from './dispatcher/views.ts';
import { faultPoint } from './faults.ts';
import { type Considered, type RouteMatch, route } from './flows/route.ts';
import { readDeliveryHeaders } from './forge/delivery-headers.ts';
import { parseGiteaFamilyDelivery } from './forge/gitea-family.ts';
import { deletionKey } from './forge/gitea-family-outcomes.ts';
import {
  claimDelivery,
  claimMeaning,
  type DeliveryVerdict,
  firstWith,
  postponeDelivery,
  settleDelivery,
} from './inbox.ts';
import type { Log } from './log.ts';
import { resolveConversation } from './mailbox/conversations.ts';
import { appendMessage, declineMessagesOfComment } from './mailbox/messages.ts';
import type { AgentView, EventItem, ForgeEvent } from './vocabulary.ts';

/** What routing needs of the configuration; read anew for every delivery, so that a reload counts at once. */
export interface RoutingConfig {
  forges: Readonly<Record<string, ForgeConfig>>;
  agents: ReadonlyMap<string, AgentConfig>;
  flows: readonly Flow[];
}

export interface DispatcherDeps {
  database: Database;
  config: () => RoutingConfig;
  now: () => number;
  log: Log;
}

/** What `explain` prints, stored with the delivery. */
export interface StoredDecision {
  considered: Considered[];
  messages: { agent: string; flow: string; skill: string; conversation: string; dispatch: string }[];
  note: string | null;
}

/** Decides the oldest undecided delivery. Answers false when there was none. */
export async function dispatchNext(deps: DispatcherDeps): Promise<boolean> {
  let claimed: DeliveryRow | undefined;
  try {
    const decidedOne = await deps.database.transaction(async (tx) => {
      claimed = await claimDelivery(tx, deps.database.dialect, deps.now());
      if (claimed === undefined) return false;
      const decided = await decide(tx, deps, claimed);
      await settleDelivery(tx, { id: claimed.id, now: deps.now(), ...decided });
      faultPoint('routing.decided');
      deps.log.info(`delivery ${claimed.id}: ${describe(decided.verdict)}`, { event: decided.eventName });
      return true;
    });
    if (decidedOne) faultPoint('routing.committed');
    return decidedOne;
  } catch (error) {
    if (claimed === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const what = await postponeDelivery(deps.database.rows, { delivery: claimed, reason, now: deps.now() });
    deps.log.error(`delivery ${claimed.id} could not be routed and is ${what}: ${reason}`);
    return true;
  }
}

interface Decided {
  verdict: DeliveryVerdict;
  eventName: string | null;
  decision: StoredDecision | null;
}

async function decide(tx: Rows, deps: DispatcherDeps, delivery: DeliveryRow): Promise<Decided> {
  const config = deps.config();
  const read = readDelivery(delivery);
  if ('verdict' in read) return { verdict: read.verdict, eventName: null, decision: null };
  const { event } = read;
  const eventName = event.name;
  const refused = refuseByConfiguration(config, event);
  if (refused !== null) return { verdict: ignored(refused), eventName, decision: null };

  // A replay is an operator's wish: the meaning was seen before, and that is the point.
  const replayed = delivery.source === 'replay';
  if (!replayed) {
    const first = await claimMeaning(tx, {
      forge: event.forge,
      semanticKey: event.semanticKey,
      deliveryId: delivery.id,
    });
    if (first !== null) return { verdict: { state: 'duplicate', of: first }, eventName, decision: null };
  }
  const placed = await placeEvent(tx, event, replayed);
  if (placed.item === null) {
    return { verdict: ignored(`${eventName} names no issue or pull request`), eventName, decision: null };
  }
  const deletion = replayed ? null : await overtakenBy(tx, event);
  if (deletion !== null) {
    const reason = `the comment was deleted before this could be routed (delivery ${deletion})`;
    return { verdict: ignored(reason), eventName, decision: null };
  }
  const retracted = await retract(tx, placed, deps.now());
  return await deliver(tx, deps, { config, delivery, event: { ...placed, item: placed.item }, retracted });
}

function ignored(reason: string): DeliveryVerdict {
  return { state: 'ignored', reason };
}

/** Bytes and headers to an event, or to the verdict that ends the delivery. */
export function readDelivery(delivery: {
  forge: string;
  headers: string;
  body: Uint8Array;
}): { event: ForgeEvent } | { verdict: DeliveryVerdict } {
  const headers = readDeliveryHeaders(JSON.parse(delivery.headers) as Record<string, string>);
  if (headers.kind !== 'ok') return { verdict: { state: 'failed', reason: headers.reason } };
  const outcome = parseGiteaFamilyDelivery(delivery.forge, headers.headers, delivery.body);
  switch (outcome.kind) {
    case 'event':
      return { event: outcome.event };
    case 'ignored':
      return { verdict: ignored(outcome.reason) };
    case 'malformed':
      return { verdict: { state: 'failed', reason: outcome.error } };
  }
}

function refuseByConfiguration(config: RoutingConfig, event: ForgeEvent): string | null {
  const forge = config.forges[event.forge];
  if (forge === undefined)
    return `forge ${event.forge} is no longer in the configuration; add it under forges`;
  const name = event.repository.fullName.toLowerCase();
  const listed = forge.repositories.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.endsWith('/*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  });
  if (!listed) {
    return `repository ${event.repository.fullName} is not listed; add it to forges.${event.forge}.repositories`;
  }
  const trusted = forge.trustedSenders?.some((l) => l.toLowerCase() === event.sender.login.toLowerCase());
  const ours = Object.values(forge.accounts).some(
    (a) => a.login.toLowerCase() === event.sender.login.toLowerCase(),
  );
  return trusted === false && !ours
    ? `${event.sender.login} is not listed in forges.${event.forge}.trusted_senders`
    : null;
}

/** The delivery of its comment's deletion, when that was routed first: deliveries come in any order. */
async function overtakenBy(tx: Rows, event: ForgeEvent): Promise<string | null> {
  const semanticKey = event.name === 'comment.deleted' ? null : deletionKey(event);
  return semanticKey === null ? null : await firstWith(tx, { forge: event.forge, semanticKey });
}

async function retract(tx: Rows, event: ForgeEvent, now: number): Promise<number> {
  if (event.name !== 'comment.deleted' || event.comment === null) return 0;
  return await declineMessagesOfComment(tx, {
    forge: event.forge,
    repositoryId: event.repository.id,
    commentId: event.comment.id,
    now,
  });
}

interface ToDeliver {
  config: RoutingConfig;
  delivery: DeliveryRow;
  event: ForgeEvent & { item: EventItem };
  retracted: number;
}

async function deliver(tx: Rows, deps: DispatcherDeps, work: ToDeliver): Promise<Decided> {
  const { config, event } = work;
  const agents = agentViews(config, event.forge);
  const known = await conversationsOnItem(tx, event, [...agents.keys()]);
  const decision = route({
    event,
    agents,
    conversations: (agent) => viewOf(known.get(agent)),
    flows: config.flows,
  });
  const messages: StoredDecision['messages'] = [];
  for (const match of decision.matches) {
    const { conversation, dispatchId } = await toMailbox(tx, deps, work, match);
    messages.push({
      agent: match.agent,
      flow: match.flow,
      skill: match.skill,
      conversation: conversation.id,
      dispatch: dispatchId,
    });
  }
  const note =
    work.retracted > 0 ? `${work.retracted} waiting message(s) of this comment were declined` : null;
  const verdict: DeliveryVerdict =
    messages.length > 0 || note !== null
      ? { state: 'routed' }
      : ignored('no flow wants it; `claude-hooks explain` names each flow and what it lacked');
  return { verdict, eventName: event.name, decision: { considered: decision.considered, messages, note } };
}

async function toMailbox(
  tx: Rows,
  deps: DispatcherDeps,
  { config, delivery, event }: ToDeliver,
  match: RouteMatch,
): Promise<{ conversation: ConversationRow; dispatchId: string }> {
  const agent = config.agents.get(match.agent)!;
  const conversation = await resolveConversation(tx, {
    forge: event.forge,
    repository: event.repository,
    number: event.item.number,
    agent: match.agent,
    item: event.item,
    now: deps.now(),
  });
  const { dispatchId } = await appendMessage(tx, {
    conversation,
    deliveryId: delivery.id,
    flow: match.flow,
    skill: match.skill,
    parameters: { ...match.with },
    priority: match.priority,
    event,
    now: deps.now(),
    quietMs: agent.quietSeconds * 1000,
    maxWaitMs: agent.maxWaitSeconds * 1000,
  });
  return { conversation, dispatchId };
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

function describe(verdict: DeliveryVerdict): string {
  switch (verdict.state) {
    case 'routed':
      return 'routed';
    case 'duplicate':
      return `duplicate of ${verdict.of}`;
    case 'ignored':
    case 'failed':
      return `${verdict.state}: ${verdict.reason}`;
  }
}
