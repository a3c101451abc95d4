/**
 * Whether what woke an agent is on the forge. A signed delivery proves only that its sender knew the hook's secret, and
 * the forge shows that to every administrator of a repository that has the hook. So each message is compared with what
 * the forge has: its author, its words, its time, who assigned or labelled. What is used from then on are the forge's
 * own words.
 */
import { isEventTextOf } from '../../forges/event-limits.ts';
import type { Item } from '../../forges/forge.ts';
import { isSameItem } from '../../item-key.ts';
import { type EventItem, type EventRepository, type ForgeEvent, isOwnEvent } from '../../vocabulary.ts';
import { actOnTheForge, ciOnTheForge, pushOnTheForge } from './acts-on-the-forge.ts';
import type { Evidence } from './evidence.ts';
import { changed, type Finding, there, unknown } from './finding.ts';
import type { CarriedMessage } from './messages.ts';
import { commentOnTheForge, descriptionOnTheForge, reviewOnTheForge } from './words-on-the-forge.ts';

export interface Refused {
  id: string;
  /** a clause for a person */
  reason: string;
  /** the message when the forge knows nothing of what it says: worth an audit row */
  forged: CarriedMessage | null;
}

export interface Compared {
  there: (CarriedMessage & { proof: string | null })[];
  refused: Refused[];
  /** sentences for the agent */
  notes: string[];
}

export interface Comparison {
  evidence: Evidence;
  repository: EventRepository;
  /** of the agent that is woken */
  login: string;
  wasDeleted: (event: ForgeEvent) => Promise<boolean>;
  /** whether this conversation has pushed that commit */
  hasPushed: (sha: string) => Promise<boolean>;
}

export async function compareWithForge(
  messages: readonly CarriedMessage[],
  comparison: Comparison,
): Promise<Compared> {
  // guard: intake: on the forge
  const findings = await Promise.all(messages.map((message) => compare(message, comparison)));
  const compared: Compared = { there: [], refused: [], notes: [] };
  for (const [index, finding] of findings.entries()) {
    const message = messages[index]!;
    if (finding.kind === 'there') {
      compared.there.push({ ...message, event: finding.event, proof: finding.proof });
      if (finding.note !== null) compared.notes.push(finding.note);
    } else {
      const forged = finding.kind === 'unknown' ? message : null;
      compared.refused.push({ id: message.id, reason: finding.reason, forged });
    }
  }
  return compared;
}

async function compare(message: CarriedMessage, comparison: Comparison): Promise<Finding> {
  const { evidence, repository, login, wasDeleted } = comparison;
  const claimed = message.event;
  const number = claimed.item?.number ?? 0;
  const item = await evidence.item(number);
  const place = `${repository.fullName}#${number}`;
  // Our own word: nobody could have forged it, and the forge knows nothing of it.
  if (isOwnEvent(claimed)) {
    return item === null
      ? changed(`there is no ${place} any more`)
      : there(withForgeItem(claimed, item), null);
  }
  if (item === null) return unknown(`there is no ${place}; it was deleted, or never was`);
  if (item.kind !== claimed.item?.kind) return unknown(`${place} is not ${claimed.item?.kind}`);
  const event = withForgeItem({ ...claimed, repository }, item);
  const act = { event, item, evidence, login, receivedAt: message.receivedAt };
  if (event.ci !== null) return await ciOnTheForge(act, comparison.hasPushed);
  switch (event.name) {
    case 'comment.created':
    case 'comment.edited':
      return await commentOnTheForge({ event, item, evidence, login, wasDeleted });
    case 'review.submitted':
      return await reviewOnTheForge({ event, item, evidence, login, wasDeleted });
    case 'issue.opened':
    case 'issue.edited':
    case 'pull.opened':
    case 'pull.edited':
      return descriptionOnTheForge({ event, item, evidence, login, wasDeleted });
    case 'pull.synchronized':
      return await pushOnTheForge(act);
    default:
      return await actOnTheForge(act);
  }
}

/** Everything but title and description, which are pinned to what stood there (`withForgeText`). */
function withForgeItem(event: ForgeEvent, item: Item): ForgeEvent {
  const { title, body } = event.item!;
  const { kind, number, state, htmlUrl, author, labels, assignees } = item;
  const known: EventItem = { kind, number, title, body, state, htmlUrl, author, labels, assignees };
  if (event.pull === null || item.pull === null) return { ...event, item: known, pull: null };
  const { htmlUrl: _, ...pull } = item.pull;
  // The head of then says whether CI or a push is still about the head of now.
  return { ...event, item: known, pull: { ...pull, headSha: event.pull.headSha } };
}

/**
 * Title and description of an item by somebody who is trusted are the forge's own: that a delivery has other ones may be
 * an edit, or a forgery, and nothing tells which. A stranger's stay as they were when the agent was woken, and are
 * shown as a stranger's in either case.
 */
export function withForgeText(
  messages: readonly CarriedMessage[],
  item: Item,
  isTrusted: boolean,
): { messages: CarriedMessage[]; notes: string[] } {
  // guard: intake: the forge's words
  if (!isTrusted) return { messages: [...messages], notes: [] };
  const changedParts = new Set<string>();
  const shown = messages.map((message) => {
    const { event } = message;
    if (event.item === null || !isSameItem(event.item, item)) return message;
    if (event.ci === null && !isEventTextOf(event.item.title, item.title)) changedParts.add('title');
    if (event.ci === null && !isEventTextOf(event.item.body, item.body)) changedParts.add('description');
    return { ...message, event: { ...event, item: { ...event.item, title: item.title, body: item.body } } };
  });
  const notes = [...changedParts].map(
    (part) => `The ${part} was edited after you were woken; you see it as it is now.`,
  );
  return { messages: shown, notes };
}
