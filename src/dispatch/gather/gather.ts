/**
 * The first step: the item as the forge has it now, the messages that are true and whose senders may wake the agent, and
 * the checkout.
 */
import { isListed } from '../../config/listed-repositories.ts';
import { isSameItem, printItem } from '../../item-key.ts';
import { renameRepository } from '../../mailbox/conversations.ts';
import { carryLate } from '../../mailbox/leases.ts';
import { hasPushed } from '../../mailbox/pushes.ts';
import { optOutReason } from '../../trust/opt-out.ts';
import { forkRefusal } from '../../trust/sender.ts';
import type { EventRepository } from '../../vocabulary.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { isSelf } from '../own-account.ts';
import { judgeSenders } from '../screen/senders.ts';
import { onOpenPull, whyEarly } from './ci-messages.ts';
import { itemsOf } from './conversation-items.ts';
import { Evidence } from './evidence.ts';
import { declineRefused, takeUp, wasDeleted } from './message-truth.ts';
import { type CarriedMessage, leadingOf, readMessage } from './messages.ts';
import { type Compared, compareWithForge, type Refused } from './on-the-forge.ts';
import { optedOut } from './opted-out.ts';
import { overtakenIn } from './overtaken.ts';
import { type Found, readAhead, readItem } from './read-item.ts';
import { replayedMessages } from './replayed.ts';
import { type Placed, placeCheckout } from './where.ts';
import { withdrawnFrom } from './withdrawn.ts';

export type GatherDeps = Pick<
  DispatchDeps,
  'database' | 'trust' | 'workdir' | 'runner' | 'config' | 'now' | 'log'
>;

/** A dispatch, and what the forge has for it. */
export interface Gathered extends Dispatch {
  repository: EventRepository;
  /** of all items */
  messages: CarriedMessage[];
  /** ids of those messages that an operator asked for again */
  replayed: ReadonlySet<string>;
  /** the item of the leading message */
  found: Found;
  /** the items of the other messages */
  others: Found[];
  /** sentences for the agent about its messages */
  notes: string[];
  place: Placed;
}

export type GatherResult =
  | { kind: 'ready'; dispatch: Gathered }
  /** CI still runs on what is to be mended: all its failures are dealt with at once */
  | { kind: 'early'; reason: string }
  /**
   * nothing may run; `tell`: it is worth a word on the item, because whoever asked for it may; `withdrawn`: it was asked
   * for, and somebody took that back
   */
  | { kind: 'refused'; reason: string; tell: boolean; withdrawn: boolean };

/** For a run: what is not on the forge and whoever has lost the permission to wake the agent is declined. */
export async function gather(dispatch: Dispatch, deps: GatherDeps): Promise<GatherResult> {
  const { config } = dispatch.forge;
  const repository = await readRepository(dispatch, deps);
  if (!isListed(config, repository.fullName)) {
    const option = `forges.${config.name}.repositories`;
    const reason = `repository ${repository.fullName} is not listed any more; add it to ${option}`;
    return { kind: 'refused', reason, tell: false, withdrawn: false };
  }
  const compared = await trueMessages(dispatch, deps, repository);
  const { lease, evidence, joined } = compared;
  const judged = await judgeSenders(compared.messages, { forgeConfig: config, trust: deps.trust });
  const declined = [...compared.refused, ...judged.refused.map((one) => ({ ...one, forged: null }))];
  if (declined.length > 0) await declineRefused(deps, dispatch.lease, declined);
  const { allowed } = judged;
  const tooEarly = await whyEarly(allowed, evidence, Date.now());
  if (tooEarly !== null) return { kind: 'early', reason: tooEarly };
  if (allowed.length === 0 && declined.length > 0) {
    const { id, reason } = declined[0]!;
    return { kind: 'refused', reason, tell: false, withdrawn: compared.withdrawn.has(id) };
  }
  const found = await readItem(evidence, { repository, number: leadingNumber(dispatch, allowed) });
  const out = optOutReason(config, found.item);
  // guard: opt-out: before the run
  if (out !== null) return { kind: 'refused', reason: out, tell: false, withdrawn: true };
  const fork = forkRefusal(config, found.item.pull);
  // guard: trust: forks before the checkout
  if (fork !== null) return { kind: 'refused', reason: fork, tell: true, withdrawn: false };
  const place = await placeCheckout(dispatch, deps, { repository, item: found.item, joined });
  const file = await optedOut(dispatch, deps, { repository, checkout: place.checkout });
  if (file !== null) return { kind: 'refused', reason: file.reason, tell: file.isNews, withdrawn: false };
  const ids = new Set(allowed.map((m) => m.id));
  return {
    kind: 'ready',
    dispatch: {
      ...dispatch,
      lease: { ...lease, messages: lease.messages.filter((m) => ids.has(m.id)) },
      repository,
      messages: allowed,
      replayed: compared.replayed,
      found,
      others: await readOthers(evidence, found, allowed),
      notes: compared.notes,
      place,
    },
  };
}

/** For an answer that is there already: nothing is compared or declined, because nothing runs. */
export async function gatherAnswered(dispatch: Dispatch, deps: GatherDeps): Promise<Gathered> {
  const repository = await readRepository(dispatch, deps);
  const messages = dispatch.lease.messages.map(readMessage);
  const number = leadingNumber(dispatch, messages);
  const found = await readItem(new Evidence(dispatch.forge.read, repository), { repository, number });
  const joined = await itemsOf(deps.database.rows, dispatch.lease);
  return {
    ...dispatch,
    repository,
    messages,
    replayed: await replayedMessages(deps.database.rows, messages),
    found,
    others: [],
    notes: [],
    place: await placeCheckout(dispatch, deps, { repository, item: found.item, joined }),
  };
}

interface TrueMessages {
  /** with what arrived while the forge was read */
  lease: Dispatch['lease'];
  messages: CarriedMessage[];
  replayed: ReadonlySet<string>;
  refused: Refused[];
  /** ids of those refused that were taken back */
  withdrawn: ReadonlySet<string>;
  notes: string[];
  evidence: Evidence;
  /** numbers of the items that belong to the conversation */
  joined: number[];
}

/** Compares the messages with the forge while the forge is read for the prompt. */
async function trueMessages(
  dispatch: Dispatch,
  deps: GatherDeps,
  repository: EventRepository,
): Promise<TrueMessages> {
  const { rows } = deps.database;
  const newEvidence = () => new Evidence(dispatch.forge.read, repository);
  const evidence = newEvidence();
  const joined = await itemsOf(rows, dispatch.lease);
  const onForge = (messages: CarriedMessage[]) =>
    Promise.all(messages.map((message) => onOpenPull(message, { joined, evidence })));
  const asked = await onForge(dispatch.lease.messages.map(readMessage));
  const replayedEarly = await replayedMessages(rows, asked);
  const [first] = await Promise.all([
    stillWanted(dispatch, deps, { repository, messages: asked, evidence, joined, replayed: replayedEarly }),
    readAhead(evidence, leadingNumber(dispatch, asked)),
  ]);
  // Only now, after the comments were read: a comment that was read and whose delivery has come since is answered here.
  // guard: late messages carried, read comments known, part 1
  const lease = await carryLate(deps.database, dispatch.lease, deps.now());
  const known = new Set(asked.map((m) => m.id));
  const late = await onForge(lease.messages.map(readMessage).filter((m) => !known.has(m.id)));
  const replayed = new Set([...replayedEarly, ...(await replayedMessages(rows, late))]);
  // Late messages need a new reading: the first one may be older than they are.
  const second =
    late.length === 0
      ? NOTHING
      : await stillWanted(dispatch, deps, {
          repository,
          messages: late,
          evidence: newEvidence(),
          joined,
          replayed,
        });
  const there = [...first.there, ...second.there];
  const taken = await takeUp(deps.database, there, replayed);
  const again = [...taken].map(([id, delivery]) => ({
    id,
    reason: `the same was told before, by delivery ${delivery}`,
    forged: null,
  }));
  const gone = [...first.refused, ...second.refused];
  return {
    lease,
    messages: there.filter(({ id }) => !taken.has(id)),
    replayed,
    refused: [...gone, ...again],
    withdrawn: new Set(gone.filter(({ forged }) => forged === null).map(({ id }) => id)),
    notes: [...first.notes, ...second.notes],
    evidence,
    joined,
  };
}

const NOTHING: Compared = { there: [], refused: [], notes: [] };

interface Claims {
  repository: EventRepository;
  messages: CarriedMessage[];
  evidence: Evidence;
  joined: readonly number[];
  replayed: ReadonlySet<string>;
}

/** What of these messages is on the forge, and was not taken back since. */
export async function stillWanted(dispatch: Dispatch, deps: GatherDeps, claims: Claims): Promise<Compared> {
  const { database } = deps;
  const { evidence } = claims;
  const compared = await compareWithForge(claims.messages, {
    evidence,
    repository: claims.repository,
    login: dispatch.forge.account.login,
    wasDeleted: (event) => wasDeleted(database, event),
    hasPushed: (sha) => hasPushed(database.rows, dispatch.key.conversationId, sha),
  });
  const withdrawn = await withdrawnFrom(dispatch, deps.trust, { ...claims, messages: compared.there });
  const overtaken = await overtakenIn(compared.there, { evidence, isSelf: isSelf(dispatch, deps.trust) });
  const refused = [...withdrawn, ...overtaken].map(([id, reason]) => ({ id, reason, forged: null }));
  return {
    ...compared,
    // guard: withdrawn: before the run
    there: compared.there.filter(({ id }) => !withdrawn.has(id) && !overtaken.has(id)),
    refused: [...compared.refused, ...refused],
  };
}

/** More than one item at once is rare, so one after another. */
export async function readOthers(
  evidence: Evidence,
  { repository, item }: Found,
  messages: readonly CarriedMessage[],
): Promise<Found[]> {
  const named = messages.map(({ event }) => event.item ?? item).filter((one) => !isSameItem(one, item));
  const numbers = new Map(named.map((one) => [printItem(one), one.number]));
  const others: Found[] = [];
  for (const number of numbers.values()) others.push(await readItem(evidence, { repository, number }));
  return others;
}

export async function readRepository(
  { forge, item, lease }: Dispatch,
  deps: GatherDeps,
): Promise<EventRepository> {
  const repository = await forge.read.getRepository(item.repository);
  if (repository.fullName !== item.repository.fullName) {
    await renameRepository(deps.database.rows, lease.conversation, repository.fullName);
  }
  return repository;
}

function leadingNumber({ item }: Dispatch, messages: CarriedMessage[]): number {
  return leadingOf(messages)?.event.item?.number ?? item.number;
}
