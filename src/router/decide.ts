/** One delivery decided, in a transaction: everything is read first and written after it, so an early end writes nothing. */
import type { Rows } from '../database/database.ts';
import type { ConversationRow, DeliveryRow } from '../database/tables.ts';
import type { RouteMatch } from '../flows/route.ts';
import { planLook } from '../inbox/looks.ts';
import { claimMeaning, type DeliveryVerdict, firstWith } from '../inbox.ts';
import { isInConversation, resolveConversation } from '../mailbox/conversations.ts';
import { appendMessage, declineMessagesOfComment, knowsFailure } from '../mailbox/messages.ts';
import { recallRuns } from '../mailbox/recalls.ts';
import { recordRefusal } from '../trust/records.ts';
import { isOurAccount } from '../trust/sender.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';
import { consider, type Outlook, wantsSender } from './consider.ts';
import type { Facts } from './facts.ts';
import { rememberItem } from './items.ts';
import type { RouterDeps, RoutingConfig, StoredDecision } from './routing.ts';

export interface Decided {
  verdict: DeliveryVerdict;
  eventName: string | null;
  decision: StoredDecision | null;
  /** of what is ignored: `refused` is in the audit, `unwanted` is by every flow */
  kind?: 'refused' | 'unwanted';
}

export interface ToDecide {
  deps: RouterDeps;
  delivery: DeliveryRow;
  facts: Facts;
}

/** null = the rows have changed since the facts were gathered, and more has to be asked; nothing was written. */
export async function decide(tx: Rows, { deps, delivery, facts }: ToDecide): Promise<Decided | null> {
  if (facts.kind === 'ended') return await end(tx, { deps, delivery, facts });
  const { event, config } = facts;
  const eventName = event.name;
  // A replay is an operator's wish: the meaning was seen before, and that is the point.
  const replayed = delivery.source === 'replay';
  const first = replayed ? null : await firstWith(tx, event);
  // guard: semantic key
  if (first !== null) return { verdict: { state: 'duplicate', of: first }, eventName, decision: null };
  const { mayJoin, labels } = facts;
  const outlook = await consider({ rows: tx, config, trust: deps.trust, event, labels, replayed, mayJoin });
  if (outlook.asksAuthor || (wantsSender(outlook) && facts.sender === null)) return null;
  const claim = { forge: event.forge, semanticKey: event.semanticKey, deliveryId: delivery.id };
  // guard: trust: permission of the sender
  const refusal = outlook.fork ?? (facts.sender?.allowed === false ? facts.sender.reason : null);
  // guard: intake: a real deletion
  if (event.name === 'comment.deleted' && facts.gone === false) {
    return await refuse(tx, { deps, delivery, facts }, STILL_THERE);
  }
  if (!replayed) await claimMeaning(tx, claim);
  if (outlook.event === null) {
    return { verdict: ignored(`${eventName} names no issue or pull request`), eventName, decision: null };
  }
  await rememberItem(tx, outlook.placed);
  await recallRuns(tx, event, delivery.id);
  // guard: ci: look for our deliveries
  await lookAtNewPull(tx, { deps, delivery, facts });
  if (event.name !== 'comment.deleted' && facts.gone === true && !replayed) {
    const reason = 'the comment was deleted before this could be routed';
    return { verdict: ignored(reason), eventName, decision: null };
  }
  const retracted = await retract(tx, event, deps.now());
  return await deliver(tx, {
    deps,
    config,
    delivery,
    facts,
    outlook,
    event: outlook.event,
    retracted,
    refusal,
  });
}

/** What CI told of its commits before may have gone to nobody. What has joined a conversation was looked at then. */
async function lookAtNewPull(
  tx: Rows,
  { deps, delivery, facts }: ToDecide & { facts: Extract<Facts, { kind: 'event' }> },
): Promise<void> {
  const { event, forge: config } = facts;
  const { name, item, forge, repository } = event;
  if (name !== 'pull.opened' || item === null) return;
  if (!isOurAccount(config, deps.trust.ids(config), item.author)) return;
  const { number } = item;
  if (await isInConversation(tx, { forge, repository, number })) return;
  await planLook(tx, { forge, repository, number, cause: delivery.id, now: deps.now() });
}

const STILL_THERE =
  'not on the forge: the forge still has the comment, so nothing is taken back. If it should be gone, delete it there';

function ignored(reason: string): DeliveryVerdict {
  return { state: 'ignored', reason };
}

async function end(
  tx: Rows,
  { deps, delivery, facts }: ToDecide & { facts: Extract<Facts, { kind: 'ended' }> },
): Promise<Decided> {
  const { event, verdict } = facts;
  if (facts.audited && event !== null && 'reason' in verdict) {
    const { reason } = verdict;
    await recordRefusal(tx, { event, deliveryId: delivery.id, reason, sender: null, now: deps.now() });
  }
  return {
    verdict,
    eventName: event?.name ?? null,
    decision: null,
    ...(facts.audited ? { kind: 'refused' } : {}),
  };
}

async function refuse(
  tx: Rows,
  { deps, delivery, facts }: ToDecide & { facts: Extract<Facts, { kind: 'event' }> },
  reason: string,
): Promise<Decided> {
  const { event } = facts;
  await recordRefusal(tx, { event, deliveryId: delivery.id, reason, sender: facts.sender, now: deps.now() });
  return { verdict: ignored(reason), eventName: event.name, decision: null, kind: 'refused' };
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
  deps: RouterDeps;
  config: RoutingConfig;
  delivery: DeliveryRow;
  facts: Extract<Facts, { kind: 'event' }>;
  outlook: Outlook;
  event: ForgeEvent & { item: EventItem };
  retracted: number;
  refusal: string | null;
}

async function deliver(tx: Rows, work: ToDeliver): Promise<Decided> {
  const { deps, event, outlook, facts, retracted, refusal } = work;
  const { considered, matches } = outlook.route;
  const { sender } = facts;
  const note = retracted > 0 ? `${retracted} waiting message(s) of this comment were declined` : null;
  if (refusal !== null) {
    const refused = { event, deliveryId: work.delivery.id, reason: refusal, sender, now: deps.now() };
    await recordRefusal(tx, refused);
    const decision = { considered, messages: [], note, sender };
    return { verdict: ignored(refusal), eventName: event.name, decision, kind: 'refused' };
  }
  const messages: StoredDecision['messages'] = [];
  let isKnown = false;
  for (const match of matches) {
    const delivered = await toMailbox(tx, work, match);
    if (delivered === null) {
      isKnown = true;
      continue;
    }
    const { conversation, dispatchId } = delivered;
    messages.push({
      agent: match.agent,
      flow: match.flow,
      skill: match.skill,
      conversation: conversation.id,
      dispatch: dispatchId,
    });
  }
  const stored = { eventName: event.name, decision: { considered, messages, note, sender } };
  if (messages.length > 0 || note !== null) return { verdict: { state: 'routed' }, ...stored };
  if (isKnown) return { verdict: ignored(KNOWN_FAILURE), ...stored };
  return { verdict: ignored(UNWANTED), ...stored, kind: 'unwanted' };
}

const UNWANTED = 'no flow wants it; `claude-hooks explain` names each flow and what it lacked';
const KNOWN_FAILURE = 'its conversation has been told that CI failed on this commit, and deals with it once';

/** Null where the conversation knows of it. */
async function toMailbox(
  tx: Rows,
  work: ToDeliver,
  match: RouteMatch,
): Promise<{ conversation: ConversationRow; dispatchId: string } | null> {
  const { deps, config, delivery, event, outlook } = work;
  const agent = config.agents.get(match.agent)!;
  const conversation = await resolveConversation(tx, {
    forge: event.forge,
    repository: event.repository,
    number: event.item.number,
    agent: match.agent,
    item: event.item,
    // What is known is on the item itself, or was found to be one that it may join.
    mayJoin: outlook.known.has(match.agent),
    now: deps.now(),
  });
  const isTold =
    event.name === 'ci.failed' &&
    work.delivery.source !== 'replay' &&
    (await knowsFailure(tx, conversation.id, { event, isLook: work.delivery.source === 'look' }));
  // guard: ci: told once
  if (isTold) return null;
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
