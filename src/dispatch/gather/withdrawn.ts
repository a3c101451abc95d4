/**
 * Whether what an agent was asked to do has been taken back since: its item closed, the agent unassigned, the label taken
 * off, the request for its review withdrawn. A merge takes nothing back, and neither does what the agent does itself.
 */
import type { Item, TimelineEntry } from '../../forges/forge.ts';
import type { Trust } from '../../trust.ts';
import { type ForgeUser, isOwnEvent } from '../../vocabulary.ts';
import type { Dispatch } from '../dispatch.ts';
import { isSelf } from '../own-account.ts';
import { askedAt, isAfter, sinceOf } from './asked.ts';
import type { Evidence } from './evidence.ts';
import type { CarriedMessage } from './messages.ts';

export interface Asking {
  messages: readonly CarriedMessage[];
  evidence: Evidence;
  /** numbers of the items that belong to the conversation */
  joined: readonly number[];
  /** ids of messages that an operator asked for again */
  replayed: ReadonlySet<string>;
}

interface WithdrawalQuestion extends Asking {
  /** of the agent */
  login: string;
  isSelf: (user: ForgeUser) => boolean;
}

/** By message id: a clause for a person that says who took it back. */
export async function withdrawnFrom(
  dispatch: Pick<Dispatch, 'forge' | 'agent'>,
  trust: Pick<Trust, 'ids'>,
  asking: Asking,
): Promise<Map<string, string>> {
  const question = { ...asking, login: dispatch.forge.account.login, isSelf: isSelf(dispatch, trust) };
  const found = new Map<string, string>();
  for (const message of question.messages) {
    const why = await whyWithdrawn(message, question);
    if (why !== null) found.set(message.id, why);
  }
  return found;
}

async function whyWithdrawn(message: CarriedMessage, question: WithdrawalQuestion): Promise<string | null> {
  const { evidence, replayed } = question;
  const { item: claimed } = message.event;
  const item = claimed === null ? null : await evidence.item(claimed.number);
  if (item === null) return null;
  const asked = await askedAt(message, evidence, replayed.has(message.id));
  const all = await evidence.entries(item.number, sinceOf(asked.at));
  if (all === 'unknown') return await closedWithoutTimeline(message, item, question);
  const later = all.filter((entry) => isAfter(entry, asked));
  return (
    (await closedSince(item, later, question)) ??
    unassignedSince(item, later, question) ??
    unlabeledSince(message, item, later, question) ??
    requestWithdrawnSince(message, item, later, question)
  );
}

/** The last of them, where somebody else than the agent did it. */
function lastBy(
  entries: readonly TimelineEntry[],
  kinds: readonly TimelineEntry['kind'][],
  { isSelf }: Pick<WithdrawalQuestion, 'isSelf'>,
): TimelineEntry | null {
  const last = entries.findLast((entry) => kinds.includes(entry.kind));
  return last === undefined || isSelf(last.by) ? null : last;
}

async function closedSince(
  item: Item,
  later: readonly TimelineEntry[],
  question: WithdrawalQuestion,
): Promise<string | null> {
  if (item.state === 'open' || item.pull?.merged === true) return null;
  const closing = lastBy(later, ['closed'], question);
  if (closing === null || (await isByMerge(item, question))) return null;
  return `#${item.number} was closed by ${closing.by.login}`;
}

/** A merge closes the issue in the name of whoever merged. */
async function isByMerge(
  item: Item,
  { joined, evidence }: Pick<WithdrawalQuestion, 'joined' | 'evidence'>,
): Promise<boolean> {
  if (item.kind !== 'issue') return false;
  for (const number of joined.filter((one) => one !== item.number)) {
    if ((await evidence.item(number))?.pull?.merged === true) return true;
  }
  return false;
}

/** Then nothing tells what came first; whoever comments on a closed item wants an answer. */
async function closedWithoutTimeline(
  { event }: CarriedMessage,
  item: Item,
  question: WithdrawalQuestion,
): Promise<string | null> {
  if (item.state === 'open' || event.comment !== null || event.name.endsWith('.closed')) return null;
  if (isOwnEvent(event)) return null;
  if (item.pull?.merged === true || (await isByMerge(item, question))) return null;
  return `#${item.number} was closed`;
}

function unassignedSince(
  item: Item,
  later: readonly TimelineEntry[],
  question: WithdrawalQuestion,
): string | null {
  const { login } = question;
  if (item.assignees.some((one) => isName(one, login))) return null;
  const about = later.filter((entry) => entry.subjects.some((one) => isName(one, login)));
  const last = lastBy(about, ['assigned', 'unassigned'], question);
  return last?.kind === 'unassigned' ? `${last.by.login} unassigned ${login} from #${item.number}` : null;
}

function unlabeledSince(
  { event }: CarriedMessage,
  item: Item,
  later: readonly TimelineEntry[],
  question: WithdrawalQuestion,
): string | null {
  const labels = event.added.labels;
  if (!event.name.endsWith('.labeled') || labels.length === 0) return null;
  if (item.labels.some((one) => labels.some((label) => isName(one, label)))) return null;
  const about = later.filter((entry) => entry.subjects.some((one) => labels.some((l) => isName(one, l))));
  const last = lastBy(about, ['labeled', 'unlabeled'], question);
  // guard: withdrawn: by label
  if (last?.kind !== 'unlabeled') return null;
  return `${last.by.login} took the label ${last.subjects.join(', ')} off #${item.number}`;
}

function requestWithdrawnSince(
  { event }: CarriedMessage,
  item: Item,
  later: readonly TimelineEntry[],
  question: WithdrawalQuestion,
): string | null {
  if (event.name !== 'pull.review_requested') return null;
  const { login } = question;
  if (item.pull?.requestedReviewers.some((one) => isName(one, login)) === true) return null;
  const about = later.filter((entry) => entry.subjects.some((one) => isName(one, login)));
  const last = lastBy(about, ['requested', 'withdrawn'], question);
  // guard: withdrawn: by request
  if (last?.kind !== 'withdrawn') return null;
  return `${last.by.login} no longer asks ${login} for a review of #${item.number}`;
}

function isName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
