/** Everything one dispatch needs to know before it runs: the item as the forge has it now, and the checkout. */

import type { AgentConfig, ForgeConfig } from '../config/config.ts';
import { isListed } from '../config/listed-repositories.ts';
import type { Snapshot } from '../flows/changes.ts';
import { cloneAddress } from '../forge/clone-address.ts';
import type { Comment, Item } from '../forge/forge.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { ReadingForge } from '../outcome/outgoing-forge.ts';
import { forkRefusal, isAccountOf } from '../trust/sender.ts';
import type { Trust } from '../trust.ts';
import {
  type EventRepository,
  type ForgeEvent,
  type ForgeUser,
  PERMISSIONS,
  type RepositoryRef,
} from '../vocabulary.ts';
import { EVERYBODY, type Vouching, voiceOf } from '../voices.ts';
import type { Checkout, CheckoutSpec, RelayPaths, Workdir } from '../workdir.ts';
import type { EditQuestion, ToldEdits } from './edits.ts';
import { Evidence } from './evidence.ts';
import { type CarriedMessage, leadingOf, readMessage } from './messages.ts';
import { type Compared, compareWithForge, type Refused, withForgeText } from './on-the-forge.ts';
import {
  type ItemText,
  itemVoices,
  type Screened,
  type ScreenedItem,
  type ScreenedReview,
  screenTexts,
} from './pinned-text.ts';
import { type Found, readAhead, readItem } from './read-item.ts';
import { judgeSenders, untrustedAuthors } from './senders.ts';
import { snapshotOf } from './snapshot.ts';
import { seenItems } from './work.ts';

/** An item and what stands on it, as a run may read it. */
export interface ItemShown {
  item: ScreenedItem;
  comments: Screened<Comment>[];
  reviews: ScreenedReview[];
  /** whose words may be believed */
  vouching: Vouching;
  /** what the agent should know about the texts it is given, in sentences */
  notes: string[];
  /** as the last answered dispatch saw it; null = none has */
  seen: Snapshot | null;
  /** as this one sees it */
  snapshot: Snapshot;
}

/** The item of its leading message, and what the dispatch shares. */
export interface DispatchContext extends ItemShown {
  /** with the messages that arrived while the forge was read, without those that were declined */
  lease: Lease;
  /** of all items */
  messages: CarriedMessage[];
  /** the message whose skill makes the prompt: the most urgent, of those the newest; null when all were withdrawn */
  leading: CarriedMessage | null;
  /** the other items that messages came from: the issue, or pull requests of the same conversation */
  elsewhere: ItemShown[];
  repository: EventRepository;
  /** the pull request whose commits stand in the checkout; null = none */
  checkedOut: Item | null;
  checkout: Checkout;
  /** who commits */
  identity: { name: string; email: string };
  /** the branch to push to; null when the work has nowhere to go (a fork's pull request) */
  branch: { name: string; base: string } | null;
}

export interface ContextRequest {
  lease: Lease;
  agent: AgentConfig;
  account: { login: string; token: string };
  forgeConfig: ForgeConfig;
  forge: ReadingForge;
  trust: Trust;
  workdir: Workdir;
  /** where the agent will see the relay; null = where it is on this machine */
  relay: (conversationId: string) => RelayPaths | null;
  /** whether commits are signed */
  sign: boolean;
}

export interface RunContextRequest extends ContextRequest {
  /** takes up what arrived since the lease; called after the comments were read */
  carryLate: () => Promise<Lease>;
  /** the edits of these texts that the forge told us of */
  edits: (texts: Omit<EditQuestion, 'forge'>) => Promise<ToldEdits>;
  /** stores that these messages get no answer, under the lease, and what of it was no truth */
  decline: (refused: readonly Refused[]) => Promise<void>;
  /** whether a deletion of the event's comment was heard of and found true */
  wasDeleted: (event: ForgeEvent) => Promise<boolean>;
  /** takes what happened for these messages, once; answers those that another delivery has taken, with that one's id */
  takeUp: (messages: Compared['there']) => Promise<ReadonlyMap<string, string>>;
}

export type Gathered =
  | { kind: 'ready'; context: DispatchContext }
  /** nothing may run; `tell`: it is worth a word on the item, because whoever asked for it may */
  | { kind: 'refused'; reason: string; tell: boolean };

/**
 * For a run: what is not on the forge and whoever has lost the permission to wake the agent is declined, and strangers'
 * later words are left out.
 */
export async function gatherContext(request: RunContextRequest): Promise<Gathered> {
  const repository = await readRepository(request);
  if (!isListed(request.forgeConfig, repository.fullName)) {
    const option = `forges.${request.forgeConfig.name}.repositories`;
    const reason = `repository ${repository.fullName} is not listed any more; add it to ${option}`;
    return { kind: 'refused', reason, tell: false };
  }
  const { lease, messages, refused, notes, evidence } = await trueMessages(request, repository);
  const judged = await judgeSenders(messages, request);
  const declined = [...refused, ...judged.refused.map((one) => ({ ...one, forged: null }))];
  if (declined.length > 0) await request.decline(declined);
  const { allowed } = judged;
  if (allowed.length === 0 && declined.length > 0) {
    return { kind: 'refused', reason: declined[0]!.reason, tell: false };
  }
  const found = await readItem(evidence, { repository, number: leadingNumber(request.lease, allowed) });
  const fork = forkRefusal(request.forgeConfig, found.item.pull);
  if (fork !== null) return { kind: 'refused', reason: fork, tell: true };
  const text = await screened(request, found, allowed);
  const others = await screenOthers(request, evidence, { found, messages: text.messages });
  const ids = new Set(allowed.map((m) => m.id));
  return {
    kind: 'ready',
    context: await complete({
      request,
      found,
      lease: { ...lease, messages: lease.messages.filter((m) => ids.has(m.id)) },
      messages: others.messages,
      text: { ...text, notes: [...text.notes, ...notes] },
      others: others.texts,
    }),
  };
}

interface TrueMessages {
  /** with what arrived while the forge was read */
  lease: Lease;
  messages: CarriedMessage[];
  refused: Refused[];
  notes: string[];
  evidence: Evidence;
}

/** Compares the messages with the forge while the forge is read for the prompt. */
async function trueMessages(request: RunContextRequest, repository: EventRepository): Promise<TrueMessages> {
  const evidence = new Evidence(request.forge, repository);
  const comparison = {
    repository,
    login: request.account.login,
    wasDeleted: request.wasDeleted,
  };
  const early = request.lease.messages.map(readMessage);
  const [first] = await Promise.all([
    compareWithForge(early, { ...comparison, evidence }),
    readAhead(evidence, leadingNumber(request.lease, early)),
  ]);
  // After the comments were read: one that was read, and whose delivery came meanwhile, is answered by this run.
  const lease = await request.carryLate();
  const known = new Set(early.map((m) => m.id));
  const late = lease.messages.map(readMessage).filter((m) => !known.has(m.id));
  // What happened since is not in what was read.
  const second =
    late.length === 0
      ? { there: [], refused: [], notes: [] }
      : await compareWithForge(late, { ...comparison, evidence: new Evidence(request.forge, repository) });
  const found = [...first.there, ...second.there];
  const taken = await request.takeUp(found);
  const again = found.flatMap(({ id }) => {
    const delivery = taken.get(id);
    if (delivery === undefined) return [];
    return [{ id, reason: `the same was told before, by delivery ${delivery}`, forged: null }];
  });
  return {
    lease,
    messages: found.filter(({ id }) => !taken.has(id)),
    refused: [...first.refused, ...second.refused, ...again],
    notes: [...first.notes, ...second.notes],
    evidence,
  };
}

/** For an answer that is there already: nobody reads the texts any more, so nobody is asked about them. */
export async function contextToPublish(request: ContextRequest): Promise<DispatchContext> {
  const { lease } = request;
  const repository = await readRepository(request);
  const messages = lease.messages.map(readMessage);
  const number = leadingNumber(lease, messages);
  const found = await readItem(new Evidence(request.forge, repository), { repository, number });
  const { item, comments, reviews } = found;
  const vouched = <T extends { author: ForgeUser }>(entry: T): Screened<T> => {
    const voice = voiceOf(EVERYBODY, { what: 'text', authors: [entry.author] });
    return { ...entry, trusted: voice.trusted, voice };
  };
  const text = {
    item: { ...vouched(item), ...itemVoices(item.author, NO_EDITS, EVERYBODY) },
    comments: comments.map(vouched),
    reviews: reviews.map((r) => ({ ...vouched(r), inline: r.inline.map(vouched) })),
    vouching: EVERYBODY,
    leftOut: [],
    notes: [],
  };
  return await complete({ request, found, lease, messages, text, others: [] });
}

const NO_EDITS: ToldEdits = { events: [], incomplete: false };

async function readRepository({ lease, forge }: ContextRequest): Promise<EventRepository> {
  const { repository_id: id, repository_name: fullName } = lease.conversation;
  return await forge.getRepository({ id, fullName });
}

function leadingNumber({ conversation }: Lease, messages: CarriedMessage[]): number {
  return leadingOf(messages)?.event.item?.number ?? conversation.item_number;
}

async function screened(
  request: RunContextRequest,
  { repository, item, comments, reviews }: Found,
  carried: CarriedMessage[],
): Promise<ItemText & { messages: CarriedMessage[] }> {
  const { forgeConfig, trust } = request;
  const edits = await request.edits({ repositoryId: repository.id, item, comments, reviews });
  const authors = [
    ...carried.flatMap(({ event }) => [
      event.sender,
      ...(event.comment === null ? [] : [event.comment.author]),
    ]),
    ...reviews.toReversed().flatMap((r) => [r, ...r.inline.toReversed()].map((entry) => entry.author)),
    ...[...comments.toReversed(), item].map((entry) => entry.author),
    ...edits.events.map((e) => e.sender),
  ];
  const untrusted = await untrustedAuthors(authors, { forgeConfig, trust, repository });
  const ids = trust.ids(forgeConfig);
  const { messages, notes } = withForgeText(carried, item, !untrusted.has(item.author.id));
  const text = screenTexts({
    item,
    comments,
    reviews,
    messages,
    edits,
    vouching: {
      ids: new Set(authors.map(({ id }) => id).filter((id) => !untrusted.has(id))),
      writers: PERMISSIONS.indexOf(forgeConfig.requiredPermission) <= PERMISSIONS.indexOf('write'),
    },
    isOurs: (author) =>
      Object.keys(forgeConfig.accounts).some((agent) =>
        isAccountOf({ forge: forgeConfig, ids, agent }, author),
      ),
  });
  return { ...text, messages, notes: [...notes, ...text.notes] };
}

/** The items of the other messages; more than one at once is rare, so one after another. */
async function screenOthers(
  request: RunContextRequest,
  evidence: Evidence,
  main: { found: Found; messages: CarriedMessage[] },
): Promise<{ messages: CarriedMessage[]; texts: Gathering['others'] }> {
  const { repository, item } = main.found;
  let { messages } = main;
  const texts: Gathering['others'] = [];
  const numbers = new Set(messages.map(({ event }) => event.item?.number ?? item.number));
  numbers.delete(item.number);
  for (const number of numbers) {
    const found = await readItem(evidence, { repository, number });
    const text = await screened(request, found, messages);
    messages = text.messages;
    texts.push({ found, text });
  }
  return { messages, texts };
}

interface Gathering {
  request: ContextRequest;
  found: Found;
  lease: Lease;
  messages: CarriedMessage[];
  text: ItemText;
  others: { found: Found; text: ItemText }[];
}

function shownItem(
  { request, lease }: Pick<Gathering, 'request' | 'lease'>,
  { found, text }: Gathering['others'][number],
): ItemShown {
  const { item, comments, reviews, vouching, notes } = text;
  const seen = seenItems(lease.conversation.seen)[item.number] ?? null;
  const known = new Set(seen?.commentIds);
  const snapshot = snapshotOf(item, byOthers(comments, request), byOthers(reviews, request), found.ci);
  const inline = reviews.flatMap((r) => byOthers(r.inline, request));
  return {
    item,
    comments,
    reviews,
    vouching,
    notes,
    seen,
    // What was left out is new to the next run, unless an earlier one has read it.
    snapshot: {
      ...snapshot,
      inlineIds: inline.map((c) => c.id),
      commentIds: [...snapshot.commentIds, ...text.leftOut.filter((id) => known.has(id))],
    },
  };
}

async function complete(gathering: Gathering): Promise<DispatchContext> {
  const { request, found, lease, messages, text, others } = gathering;
  const { repository } = found;
  const { spec, branch, checkedOut } = await checkoutSpec(request, repository, found.item);
  return {
    ...shownItem(gathering, { found, text }),
    lease,
    messages,
    leading: leadingOf(messages),
    elsewhere: others.map((other) => shownItem(gathering, other)),
    repository,
    checkedOut,
    checkout: await request.workdir.prepare(spec),
    identity: spec.identity,
    branch,
  };
}

/**
 * Where the agent works. One that publishes pull requests has a branch of its own for an issue, and works on the
 * pull request's own branch when the conversation began there. All others look at the pull request's head.
 */
async function checkoutSpec(
  request: ContextRequest,
  repository: DispatchContext['repository'],
  item: Item,
): Promise<{ spec: CheckoutSpec } & Pick<DispatchContext, 'branch' | 'checkedOut'>> {
  const { agent, account, lease } = request;
  const common = {
    conversation: lease.conversation.id,
    relay: request.relay(lease.conversation.id),
    sign: request.sign,
    configurationFromBase: false,
    repository: { id: repository.id, fullName: repository.fullName },
    remote: { url: cloneAddress(request.forgeConfig.cloneUrl, repository.fullName), token: account.token },
    defaultBranch: repository.defaultBranch,
    identity: { name: account.login, email: await request.forge.commitAddress(account.login) },
  };
  const own = `${agent.branchPrefix}/${lease.conversation.item_number}`;
  if (lease.conversation.item_kind === 'issue') {
    const branch = { name: own, base: repository.defaultBranch };
    const at = { kind: 'branch' as const, branch: branch.name, base: branch.base };
    return {
      spec: { ...common, at },
      branch: agent.publish === 'pull-request' ? branch : null,
      checkedOut: null,
    };
  }
  const found = await pullOf(request, repository, item);
  const pull = found.pull!;
  // What a pull request brings along must not instruct the agent that looks at it; its own is its own.
  const configurationFromBase = !isOwn(request, found.author);
  const writable = agent.publish === 'pull-request' && !pull.fork && !pull.headRef.startsWith('refs/');
  if (writable) {
    const at = { kind: 'branch' as const, branch: pull.headRef, base: pull.baseRef };
    return {
      spec: { ...common, configurationFromBase, at },
      branch: { name: pull.headRef, base: pull.baseRef },
      checkedOut: found,
    };
  }
  const number = lease.conversation.item_number;
  const at = { kind: 'pull' as const, number, sha: pull.headSha, base: pull.baseRef };
  return { spec: { ...common, configurationFromBase, at }, branch: null, checkedOut: found };
}

async function pullOf(request: ContextRequest, repository: RepositoryRef, item: Item): Promise<Item> {
  const { item_number } = request.lease.conversation;
  return item.number === item_number && item.pull !== null
    ? item
    : await request.forge.getItem(repository, item_number);
}

/** What the agent wrote itself is no news to it. */
function byOthers<T extends { author: ForgeUser }>(entries: T[], request: ContextRequest): T[] {
  return entries.filter((e) => !isOwn(request, e.author));
}

function isOwn({ forgeConfig, trust, agent }: ContextRequest, user: ForgeUser): boolean {
  return isAccountOf({ forge: forgeConfig, ids: trust.ids(forgeConfig), agent: agent.name }, user);
}
