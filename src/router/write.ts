/**
 * Writes a decision: one transaction for everything that a delivery causes, so that after a crash it is decided wholly or
 * not at all. Before it writes, it reads once more what the decision rests on.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { faultPoint } from '../faults.ts';
import { completeEvent, storeEvent } from '../inbox/events.ts';
import { planLook } from '../inbox/looks.ts';
import { type DeliveryAbout, holdRouting, isUndecided, settleDelivery } from '../inbox.ts';
import { isSameItem } from '../item-key.ts';
import { closeAsks } from '../mailbox/asks.ts';
import { carryOut } from '../mailbox/commands.ts';
import { conversationsById, renameRepository, resolveConversation } from '../mailbox/conversations.ts';
import { appendMessage, declineWaiting } from '../mailbox/messages.ts';
import { countNotices, type PlannedNotice, planNotice } from '../mailbox/notices.ts';
import { recallRuns } from '../mailbox/recalls.ts';
import { wakeStacks } from '../mailbox/stacks.ts';
import { wakeWaits } from '../mailbox/waits.ts';
import { readTeamStanding } from '../team/rows.ts';
import { recordRefusal } from '../trust/records.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { Decision, PlannedMessage } from './decide.ts';
import type { Facts } from './gather.ts';
import { rememberItem } from './placing.ts';
import { commandReceipts, MOST_REFUSALS, REFUSAL_PREFIX } from './receipts.ts';
import type { RouterDeps, StoredDecision } from './routing.ts';
import { readStanding } from './standing.ts';
import { endPull, writeTeam } from './team.ts';

export interface ToWrite {
  delivery: DeliveryRow;
  facts: Facts;
  decision: Decision;
}

/**
 * `taken`: another process decided the delivery meanwhile. `changed`: the decision rests on rows that are different by
 * now. Nothing was written then.
 */
export type Writing = { messages: StoredDecision['messages'] } | 'taken' | 'changed';

export async function writeDecision(deps: RouterDeps, work: ToWrite): Promise<Writing> {
  try {
    // guard: routing transaction
    return await deps.database.transaction(async (tx) => {
      await holdRouting(tx, deps.database.dialect);
      const standing = await stillStands(tx, work);
      if (standing !== 'same') return standing;
      return await write(tx, deps, work);
    });
  } catch (error) {
    if (error instanceof TakenUp) return 'changed';
    throw error;
  }
}

/** A worker took up a message that was to be declined, after it was read: the transaction is rolled back. */
class TakenUp extends Error {
  override name = 'TakenUp';
}

async function stillStands(tx: Rows, { delivery, facts }: ToWrite): Promise<'same' | 'taken' | 'changed'> {
  // What ended without a look at the rows, or as a repetition, cannot change any more.
  if (facts.kind !== 'event') return (await isUndecided(tx, delivery.id)) ? 'same' : 'taken';
  const standing = await readStanding(tx, { delivery, event: facts.told });
  if (!standing.isUndecided) return 'taken';
  // guard: routing: what it rests on
  if (!isDeepStrictEqual(standing, facts.standing)) return 'changed';
  if (facts.team === null) return 'same';
  // guard: team: what a decision rests on
  return isDeepStrictEqual(await readTeamStanding(tx, facts.team.place), facts.team.standing)
    ? 'same'
    : 'changed';
}

async function write(tx: Rows, deps: RouterDeps, { delivery, facts, decision }: ToWrite): Promise<Writing> {
  const now = deps.now();
  const eventId = await storedEvent(tx, { delivery, facts, decision });
  if (eventId === 'changed') return 'changed';
  const { event, item, look, refusal, retracted, explained } = decision;
  if (item !== null) await rememberItem(tx, item);
  if (decision.recalls && event !== null) await recallRuns(tx, event, delivery.id);
  if (decision.recalls && event !== null) await wakeWaits(tx, event, now);
  if (decision.recalls && event !== null) await wakeStacks(tx, event, now);
  if (look !== null) await planLook(tx, { ...look, forge: delivery.forge, cause: delivery.id, now });
  const declined = await declineWaiting(tx, { messages: retracted, now });
  if (declined !== retracted.length) throw new TakenUp();
  if (refusal !== null) await recordRefusal(tx, { ...refusal, deliveryId: delivery.id, now });
  if (decision.receipt !== null) await planReceipt(tx, decision.receipt, now);
  await carryOutAll(tx, { facts, decision, eventId, now });
  const teamwork = { deliveryId: delivery.id, messages: decision.messages, now };
  if (decision.team !== null && event !== null) await writeTeam(tx, decision.team, { event, ...teamwork });
  if (decision.recalls && event !== null) await endPull(tx, event, teamwork);
  const messages: StoredDecision['messages'] = [];
  for (const planned of decision.messages) {
    messages.push(await deliver(tx, planned, { deliveryId: delivery.id, eventId: eventId!, now }));
  }
  // guard: cli: a delivery keeps what it was about
  const about = aboutOf(event);
  await settleDelivery(tx, {
    id: delivery.id,
    result: decision.result,
    eventName: event?.name ?? null,
    eventId,
    decision: explained === null ? null : { ...explained, messages },
    about,
    now,
  });
  faultPoint('routing.decided');
  return { messages };
}

async function planReceipt(tx: Rows, receipt: PlannedNotice, now: number): Promise<void> {
  const { forge, repository } = receipt;
  const since = now - MOST_REFUSALS.withinMs;
  const asked = { forge, repositoryId: repository.id, prefix: REFUSAL_PREFIX, since };
  // guard: feedback: strangers cannot flood
  if ((await countNotices(tx, asked)) >= MOST_REFUSALS.perRepository) return;
  await planNotice(tx, receipt, now);
}

/** After what was retracted, and before the messages: `/claude retry` does not concern what comes with it. */
async function carryOutAll(
  tx: Rows,
  { facts, decision, eventId, now }: Omit<ToWrite, 'delivery'> & { eventId: string | null; now: number },
): Promise<void> {
  const event = decision.event;
  if (facts.kind !== 'event' || event === null || event.item === null || eventId === null) return;
  const { item } = event;
  if (decision.commands.length === 0) return;
  const on = facts.standing.conversations.filter((one) => isSameItem(one.on, item));
  const conversations = await conversationsById(
    tx,
    on.map(({ id }) => id),
  );
  for (const [ordinal, command] of decision.commands.entries()) {
    const by = event.sender.login;
    const source = 'forge' as const;
    const result = await carryOut(tx, {
      ...command,
      cause: eventId,
      ordinal,
      source,
      by,
      conversations,
      now,
    });
    if (result === null) continue;
    const agent = on[0]?.agent ?? Object.keys(facts.forge.accounts)[0]!;
    const about = { ...event, item };
    for (const notice of commandReceipts({ event: about, agent, eventId, ordinal, result })) {
      await planNotice(tx, notice, now);
    }
  }
}

/** Null where the delivery tells nothing that is believed. */
async function storedEvent(
  tx: Rows,
  { delivery, facts, decision: { stored } }: ToWrite,
): Promise<string | null | 'changed'> {
  if (facts.kind === 'repeated') return facts.first.event;
  if (stored === null) return delivery.event_id;
  if (delivery.event_id !== null) {
    await completeEvent(tx, delivery.event_id, stored);
    return delivery.event_id;
  }
  const { source } = delivery;
  const { id, isFirst } = await storeEvent(tx, { event: stored, source, deliveryId: delivery.id });
  return isFirst ? id : 'changed';
}

/** An answer that the forge refused is still not posted when somebody writes. */
const ANSWERED = { kinds: ['question', 'approval', 'failed', 'stuck'] } as const;

interface Cause {
  deliveryId: string;
  eventId: string;
  now: number;
}

async function deliver(
  tx: Rows,
  planned: PlannedMessage,
  { deliveryId, eventId, now }: Cause,
): Promise<StoredDecision['messages'][number]> {
  const { match, event, quietMs, maxWaitMs } = planned;
  const conversation = { id: await conversationOf(tx, planned, now), agent: match.agent };
  // guard: inbox: an answer closes what was asked
  if (planned.isByPerson)
    await closeAsks(tx, { ...ANSWERED, conversationId: conversation.id, by: event.sender.login, now });
  const { dispatchId } = await appendMessage(tx, {
    conversation,
    deliveryId,
    eventId,
    flow: match.flow,
    skill: match.skill,
    parameters: { ...planned.parameters },
    priority: match.priority,
    now,
    quietMs,
    maxWaitMs,
  });
  const { agent, flow, skill } = match;
  return { agent, flow, skill, conversation: conversation.id, dispatch: dispatchId };
}

async function conversationOf(
  tx: Rows,
  { match, event, conversation }: PlannedMessage,
  now: number,
): Promise<string> {
  const { forge, repository, item } = event;
  const { agent } = match;
  if (conversation === null || !isSameItem(conversation.on, item)) {
    // One that is known is that of an issue, and was found to be one that the pull request may join.
    const mayJoin = conversation !== null;
    return (await resolveConversation(tx, { forge, repository, item, agent, mayJoin, now })).id;
  }
  // Renames and transfers send no event: the next one about any item brings the new name.
  if (conversation.repositoryName !== repository.fullName) {
    await renameRepository(tx, { forge, repository_id: repository.id }, repository.fullName);
  }
  return conversation.id;
}

function aboutOf(event: ForgeEvent | null): DeliveryAbout | null {
  if (event === null) return null;
  const { repository, item, sender } = event;
  const known = item !== null && Number.isSafeInteger(item.number) ? item : null;
  return { repository: repository.fullName, item: known, sender: sender.login };
}
