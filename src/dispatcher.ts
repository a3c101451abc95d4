/**
 * The dispatcher: an accepted delivery becomes messages in mailboxes and dispatches to come, or a stored reason why
 * not. Everything about one delivery is one transaction: after a crash it is decided wholly or not at all.
 */
import type { AgentConfig, Flow, ForgeConfig } from './config/config.ts';
import { isListed } from './config/listed-repositories.ts';
import type { Database, Rows } from './database/database.ts';
import type { ConversationRow, DeliveryRow } from './database/tables.ts';
import { placeEvent } from './dispatcher/items.ts';
import { type DeliveryReading, readDelivery } from './dispatcher/read-delivery.ts';
import { refuseByScope } from './dispatcher/scope.ts';
import { conversationsOnItem, viewOf } from './dispatcher/views.ts';
import { ForgeRefused, ForgeUnavailable } from './errors.ts';
import { faultPoint } from './faults.ts';
import { type Considered, type RouteMatch, route } from './flows/route.ts';
import { deletionKey } from './forge/gitea-family-outcomes.ts';
import { piecesOf } from './inbox/pieces.ts';
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
import { recordRefusal } from './trust/records.ts';
import { forkRefusal, type Judgement, type Question } from './trust/sender.ts';
import type { Trust } from './trust.ts';
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
  trust: Pick<Trust, 'known' | 'judge' | 'ids'>;
  now: () => number;
  log: Log;
}

/** What `explain` prints, stored with the delivery. */
export interface StoredDecision {
  considered: Considered[];
  messages: { agent: string; flow: string; skill: string; conversation: string; dispatch: string }[];
  note: string | null;
  /** whether the sender may wake agents; null when no flow wanted the event, so that it was not asked */
  sender: Judgement | null;
}

/** Decides the oldest undecided delivery. Answers false when there was none. */
export async function dispatchNext(deps: DispatcherDeps): Promise<boolean> {
  const routing: Routing = { deps, judged: new Map(), readings: new Map() };
  for (;;) {
    const step = await decideNext(routing);
    if (step.kind === 'nothing' || step.kind === 'decided') return step.kind === 'decided';
    try {
      if (step.kind === 'ask') routing.judged.set(step.key, await deps.trust.judge(step.question));
      else routing.readings.set(step.delivery.id, await readLarge(deps, step.delivery));
    } catch (error) {
      await postpone(deps, step.delivery, error);
      return true;
    }
  }
}

async function readLarge({ database }: DispatcherDeps, delivery: DeliveryRow): Promise<DeliveryReading> {
  return await readDelivery({ ...delivery, body: await piecesOf(database.rows, delivery) });
}

/** Answers of the forge for the delivery at hand, by sender and repository. */
type Judged = Map<string, Judgement>;

type Step =
  | { kind: 'nothing' }
  | { kind: 'decided' }
  /** the forge has to be asked first, and nothing was written */
  | { kind: 'ask'; key: string; question: Question; delivery: DeliveryRow }
  /** a large body has to be read first */
  | { kind: 'read'; delivery: DeliveryRow };

/** Thrown to roll back: a transaction must not be open while a forge is asked, it would hold up every other writer. */
class NeedsAnswer extends Error {
  readonly question: Question;
  constructor(question: Question) {
    super('the forge has to be asked first');
    this.question = question;
  }
}

/** Thrown to roll back, for the same reason: it takes a second. */
class NeedsReading extends Error {}

async function decideNext(routing: Routing): Promise<Step> {
  const { deps } = routing;
  let claimed: DeliveryRow | undefined;
  try {
    const decidedOne = await deps.database.transaction(async (tx) => {
      claimed = await claimDelivery(tx, deps.database.dialect, deps.now());
      if (claimed === undefined) return false;
      const decided = await decide(tx, routing, claimed);
      await settleDelivery(tx, { id: claimed.id, now: deps.now(), ...decided });
      faultPoint('routing.decided');
      deps.log.info(`delivery ${claimed.id}: ${describe(decided.verdict)}`, { event: decided.eventName });
      return true;
    });
    if (decidedOne) faultPoint('routing.committed');
    return { kind: decidedOne ? 'decided' : 'nothing' };
  } catch (error) {
    if (claimed === undefined) throw error;
    if (error instanceof NeedsAnswer) {
      const { question } = error;
      return { kind: 'ask', key: questionKey(question), question, delivery: claimed };
    }
    if (error instanceof NeedsReading) return { kind: 'read', delivery: claimed };
    await postpone(deps, claimed, error);
    return { kind: 'decided' };
  }
}

function questionKey({ forge, repository, user }: Question): string {
  return JSON.stringify([forge.name, repository.id, user.id, user.login]);
}

async function postpone(deps: DispatcherDeps, delivery: DeliveryRow, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  const patient = error instanceof ForgeUnavailable || error instanceof ForgeRefused;
  const failure = { delivery, reason, patient, now: deps.now() };
  const what = await postponeDelivery(deps.database.rows, failure);
  deps.log.error(`delivery ${delivery.id} could not be routed and is ${what}: ${reason}`);
}

interface Decided {
  verdict: DeliveryVerdict;
  eventName: string | null;
  decision: StoredDecision | null;
}

interface Routing {
  deps: DispatcherDeps;
  judged: Judged;
  /** large bodies, by delivery */
  readings: Map<string, DeliveryReading>;
}

async function decide(tx: Rows, routing: Routing, delivery: DeliveryRow): Promise<Decided> {
  const { deps } = routing;
  const config = deps.config();
  const read = await readingOf(routing, delivery);
  if ('verdict' in read) return { verdict: read.verdict, eventName: null, decision: null };
  const { event } = read;
  const eventName = event.name;
  const refused = refuseByConfiguration(config, event);
  if (refused !== null) return { verdict: ignored(refused), eventName, decision: null };
  // Before its meaning is claimed: what another secret signed must not stand in the way of the real delivery.
  const foreign = refuseByScope(config.forges[event.forge]!, event, delivery.signed_for);
  if (foreign !== null) return await refuse(tx, routing, { delivery, event, reason: foreign });

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
  const work = { config, delivery, event: { ...placed, item: placed.item }, retracted };
  return await deliver(tx, routing, work);
}

function ignored(reason: string): DeliveryVerdict {
  return { state: 'ignored', reason };
}

async function readingOf(routing: Routing, delivery: DeliveryRow): Promise<DeliveryReading> {
  if (delivery.pieces === null) return await readDelivery(delivery);
  const reading = routing.readings.get(delivery.id);
  if (reading === undefined) throw new NeedsReading();
  return reading;
}

interface Refused {
  delivery: DeliveryRow;
  event: ForgeEvent;
  reason: string;
}

async function refuse(tx: Rows, { deps }: Routing, { delivery, event, reason }: Refused): Promise<Decided> {
  await recordRefusal(tx, { event, deliveryId: delivery.id, reason, sender: null, now: deps.now() });
  return { verdict: ignored(reason), eventName: event.name, decision: null };
}

function refuseByConfiguration(config: RoutingConfig, event: ForgeEvent): string | null {
  const forge = config.forges[event.forge];
  if (forge === undefined)
    return `forge ${event.forge} is no longer in the configuration; add it under forges`;
  return isListed(forge, event.repository.fullName)
    ? null
    : `repository ${event.repository.fullName} is not listed; add it to forges.${event.forge}.repositories`;
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

async function deliver(tx: Rows, routing: Routing, work: ToDeliver): Promise<Decided> {
  const { deps } = routing;
  const { config, event } = work;
  const forge = config.forges[event.forge]!;
  const agents = agentViews(config, event.forge);
  const known = await conversationsOnItem(tx, event, [...agents.keys()]);
  const { considered, matches } = route({
    event,
    agents,
    ids: deps.trust.ids(forge),
    bots: forge.allowedBots,
    conversations: (agent) => viewOf(known.get(agent)),
    flows: config.flows,
  });
  const note =
    work.retracted > 0 ? `${work.retracted} waiting message(s) of this comment were declined` : null;
  const fork = matches.length === 0 ? null : forkRefusal(forge, event.pull);
  const sender = matches.length === 0 || fork !== null ? null : judgeSender(routing, forge, event);
  const refusal = fork ?? (sender !== null && !sender.allowed ? sender.reason : null);
  if (refusal !== null) {
    await recordRefusal(tx, {
      event,
      deliveryId: work.delivery.id,
      reason: refusal,
      sender,
      now: deps.now(),
    });
    const decision = { considered, messages: [], note, sender };
    return { verdict: ignored(refusal), eventName: event.name, decision };
  }
  const messages: StoredDecision['messages'] = [];
  for (const match of matches) {
    const { conversation, dispatchId } = await toMailbox(tx, deps, work, match);
    messages.push({
      agent: match.agent,
      flow: match.flow,
      skill: match.skill,
      conversation: conversation.id,
      dispatch: dispatchId,
    });
  }
  const verdict: DeliveryVerdict =
    messages.length > 0 || note !== null
      ? { state: 'routed' }
      : ignored('no flow wants it; `claude-hooks explain` names each flow and what it lacked');
  return { verdict, eventName: event.name, decision: { considered, messages, note, sender } };
}

/** Asked only for an event that a flow wants: most events want nobody, and their senders are nobody's business. */
function judgeSender({ deps, judged }: Routing, forge: ForgeConfig, event: ForgeEvent): Judgement {
  const { repository, sender: user, name } = event;
  const question: Question = { forge, repository, user, event: name };
  const judgement = judged.get(questionKey(question)) ?? deps.trust.known(question);
  if (judgement === null) throw new NeedsAnswer(question);
  return judgement;
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
