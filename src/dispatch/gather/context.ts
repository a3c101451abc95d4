/** Everything one dispatch needs to know before it runs: the item as the forge has it now, and the checkout. */

import { isListed } from '../../config/listed-repositories.ts';
import { isSameItem, printItem } from '../../item-key.ts';
import type { Lease } from '../../mailbox/leases.ts';
import { forkRefusal, isAccountOf } from '../../trust/sender.ts';
import { type EventRepository, type ForgeUser, PERMISSIONS } from '../../vocabulary.ts';
import { EVERYBODY, voiceOf } from '../../voices.ts';
import type { Checkout } from '../../workdir.ts';
import { isSelf } from '../own-account.ts';
import type { ToldEdits } from '../screen/edits.ts';
import { type ItemText, itemVoices, type Screened, screenTexts } from '../screen/pinned-text.ts';
import { judgeSenders, untrustedAuthors } from '../screen/senders.ts';
import { seenOf } from '../seen-items.ts';
import { onOpenPull, whyEarly } from './ci-messages.ts';
import { Evidence } from './evidence.ts';
import type {
  ContextRequest,
  DispatchContext,
  Gathered,
  ItemShown,
  RunContextRequest,
  WorkBranch,
} from './gathered.ts';
import { type CarriedMessage, leadingOf, readMessage } from './messages.ts';
import { type Compared, compareWithForge, type Refused, withForgeText } from './on-the-forge.ts';
import { type Found, readAhead, readItem } from './read-item.ts';
import { snapshotOf } from './snapshot.ts';
import { checkoutSpec, type Where } from './where.ts';

export type { ContextRequest, DispatchContext, Gathered, ItemShown, RunContextRequest };

/**
 * For a run: what is not on the forge and whoever has lost the permission to wake the agent is declined, and strangers'
 * later words are left out.
 */
export async function gatherContext(request: RunContextRequest): Promise<Gathered> {
  const repository = await readRepository(request);
  if (!isListed(request.forgeConfig, repository.fullName)) {
    const option = `forges.${request.forgeConfig.name}.repositories`;
    const reason = `repository ${repository.fullName} is not listed any more; add it to ${option}`;
    return { kind: 'refused', reason, tell: false, withdrawn: false };
  }
  const { lease, messages, refused, withdrawn, notes, evidence } = await trueMessages(request, repository);
  const judged = await judgeSenders(messages, request);
  const declined = [...refused, ...judged.refused.map((one) => ({ ...one, forged: null }))];
  if (declined.length > 0) await request.decline(declined);
  const { allowed } = judged;
  const tooEarly = await whyEarly(allowed, evidence, Date.now());
  if (tooEarly !== null) return { kind: 'early', reason: tooEarly };
  if (allowed.length === 0 && declined.length > 0) {
    const { id, reason } = declined[0]!;
    return { kind: 'refused', reason, tell: false, withdrawn: withdrawn.has(id) };
  }
  const found = await readItem(evidence, { repository, number: leadingNumber(request.lease, allowed) });
  const fork = forkRefusal(request.forgeConfig, found.item.pull);
  // guard: trust: forks before the checkout
  if (fork !== null) return { kind: 'refused', reason: fork, tell: true, withdrawn: false };
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
  /** ids of those refused that were taken back */
  withdrawn: ReadonlySet<string>;
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
    hasPushed: request.hasPushed,
  };
  const stillWanted = async (messages: CarriedMessage[], readBy: Evidence): Promise<Compared> => {
    const compared = await compareWithForge(messages, { ...comparison, evidence: readBy });
    return await withoutWithdrawn(request, compared, readBy);
  };
  const joined = await request.joined();
  const early = await Promise.all(
    request.lease.messages.map((row) => onOpenPull(readMessage(row), { joined, evidence })),
  );
  const [first] = await Promise.all([
    stillWanted(early, evidence),
    readAhead(evidence, leadingNumber(request.lease, early)),
  ]);
  // After the comments were read: one that was read, and whose delivery came meanwhile, is answered by this run.
  const lease = await request.carryLate();
  const known = new Set(early.map((m) => m.id));
  const late = await Promise.all(
    lease.messages
      .map(readMessage)
      .filter((m) => !known.has(m.id))
      .map((m) => onOpenPull(m, { joined, evidence })),
  );
  // What happened since is not in what was read.
  const second =
    late.length === 0
      ? { there: [], refused: [], notes: [] }
      : await stillWanted(late, new Evidence(request.forge, repository));
  const found = [...first.there, ...second.there];
  const taken = await request.takeUp(found);
  const again = found.flatMap(({ id }) => {
    const delivery = taken.get(id);
    if (delivery === undefined) return [];
    return [{ id, reason: `the same was told before, by delivery ${delivery}`, forged: null }];
  });
  const gone = [...first.refused, ...second.refused];
  return {
    lease,
    messages: found.filter(({ id }) => !taken.has(id)),
    refused: [...gone, ...again],
    withdrawn: new Set(gone.filter(({ forged }) => forged === null).map(({ id }) => id)),
    notes: [...first.notes, ...second.notes],
    evidence,
  };
}

async function withoutWithdrawn(
  request: RunContextRequest,
  compared: Compared,
  evidence: Evidence,
): Promise<Compared> {
  const withdrawn = await request.withdrawn({ messages: compared.there, evidence });
  const refused = [...withdrawn].map(([id, reason]) => ({ id, reason, forged: null }));
  return {
    ...compared,
    // guard: withdrawn: before the run
    there: compared.there.filter(({ id }) => !withdrawn.has(id)),
    refused: [...compared.refused, ...refused],
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

async function readRepository({ lease, forge, renamed }: ContextRequest): Promise<EventRepository> {
  const { repository_id: id, repository_name: fullName } = lease.conversation;
  const repository = await forge.getRepository({ id, fullName });
  if (repository.fullName !== fullName) await renamed(repository.fullName);
  return repository;
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
  const named = messages.map(({ event }) => event.item ?? item).filter((one) => !isSameItem(one, item));
  const others = new Map(named.map((one) => [printItem(one), one.number]));
  for (const number of others.values()) {
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
  const seen = seenOf(lease.conversation.seen, item);
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
  const where = await checkoutSpec(request, repository, found.item);
  const { spec, checkedOut } = where;
  const checkout = await request.workdir.prepare(spec);
  return {
    ...shownItem(gathering, { found, text }),
    lease,
    messages,
    leading: leadingOf(messages),
    elsewhere: others.map((other) => shownItem(gathering, other)),
    repository,
    checkedOut,
    checkout: { ...checkout, notes: [...where.notes, ...checkout.notes] },
    identity: spec.identity,
    branch: settledBranch(where, checkout, request.agent.branchPrefix),
  };
}

/** The name that the forge can have beside its branches is known once the mirror was fetched. */
function settledBranch(
  { spec, branch }: Where,
  checkout: Pick<Checkout, 'workBranch'>,
  prefix: string,
): WorkBranch | null {
  if (branch === null || spec.at.kind !== 'branch') return null;
  const name = checkout.workBranch ?? spec.at.branch;
  const own = spec.at.otherwise?.includes(name) === true ? name.slice(0, name.lastIndexOf('/')) : prefix;
  return { name, prefix: own, ...branch };
}

/** What the agent wrote itself is no news to it. */
function byOthers<T extends { author: ForgeUser }>(entries: T[], request: ContextRequest): T[] {
  return entries.filter((e) => !isSelf(request, request.trust)(e.author));
}
