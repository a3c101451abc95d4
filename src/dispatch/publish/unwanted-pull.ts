/**
 * Whether the agent may open a pull request by itself. After a person has closed the last one, or the issue, only
 * somebody who asks again makes it open another: else each failed check and each answer would bring a new one.
 */
import type { Item, TimelineEntry } from '../../forges/forge.ts';
import { isAccountOf } from '../../trust/sender.ts';
import type { DispatchDeps } from '../dispatch.ts';
import { askedAt, isAfter } from '../gather/asked.ts';
import { itemsOf } from '../gather/conversation-items.ts';
import { Evidence } from '../gather/evidence.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import { isSelf } from '../own-account.ts';
import type { Prepared } from '../screen/context.ts';

type Asked = Pick<Prepared, 'lease' | 'item' | 'agent' | 'forge' | 'repository' | 'messages' | 'replayed'>;

/** Null, or a sentence for people that ends with what to do. Asks the forge anew. */
export async function whyNoPull(dispatch: Asked, deps: DispatchDeps): Promise<string | null> {
  const { lease } = dispatch;
  const evidence = new Evidence(dispatch.forge.read, dispatch.repository);
  const numbers = await itemsOf(deps.database.rows, lease);
  const items = (await Promise.all(numbers.map((number) => evidence.item(number)))).filter((i) => i !== null);
  const issue = items.find(({ number }) => number === dispatch.item.number);
  const pulls = items.filter(({ pull }) => pull !== null).toSorted((a, b) => a.number - b.number);
  const isMerged = pulls.some(({ pull }) => pull!.merged);
  const last = pulls.at(-1);
  const isOwn = isSelf(dispatch, deps.trust);
  const unwanted = async (item: Item | undefined): Promise<TimelineEntry | null> => {
    if (item === undefined || item.state === 'open' || item.pull?.merged === true) return null;
    const entries = await evidence.entries(item.number, null);
    const closing = entries === 'unknown' ? undefined : entries.findLast(({ kind }) => kind === 'closed');
    if (closing === undefined || isOwn(closing.by)) return null;
    const asked = await askedSince(closing, dispatch, deps, evidence);
    return asked ? null : closing;
  };
  const closedIssue = issue?.kind === 'issue' && !isMerged ? await unwanted(issue) : null;
  if (closedIssue !== null) {
    return `No pull request was opened: #${issue!.number} was closed by ${closedIssue.by.login}. Reopen it, and write here, to get one.`;
  }
  const closedPull = await unwanted(last);
  if (closedPull === null) return null;
  return `No other pull request was opened: #${last!.number} was closed by ${closedPull.by.login}. Reopen it, or write here, to get one.`;
}

/** By a person: what CI or another agent says is no wish for a pull request. */
async function askedSince(
  closing: TimelineEntry,
  { forge: { config: forge }, messages, replayed }: Asked,
  { trust }: DispatchDeps,
  evidence: Evidence,
): Promise<boolean> {
  const isOurs = (message: CarriedMessage) =>
    Object.keys(forge.accounts).some((agent) =>
      isAccountOf({ forge, ids: trust.ids(forge), agent }, message.event.sender),
    );
  for (const message of messages) {
    if (message.event.ci !== null || isOurs(message)) continue;
    if (!isAfter(closing, await askedAt(message, evidence, replayed.has(message.id)))) return true;
  }
  return false;
}
