/** What CI tells of an agent's work, before there is a pull request and while it still runs. */
import type { ForgeEvent } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import type { CarriedMessage } from './messages.ts';

/** A failure that was told of a conversation's issue belongs to its pull request, once that is open. */
export async function onOpenPull(
  message: CarriedMessage,
  { joined, evidence }: { joined: readonly number[]; evidence: Evidence },
): Promise<CarriedMessage> {
  const { event } = message;
  if (event.ci === null || event.item?.kind !== 'issue') return message;
  for (const number of joined.toReversed()) {
    const item = await evidence.item(number);
    if (item === null || item.pull === null || item.state === 'closed') continue;
    return { ...message, event: { ...event, item, pull: item.pull } satisfies ForgeEvent };
  }
  return message;
}

/** After this the failures are told although CI still runs: it may hang. */
const LONGEST_WAIT_MS = 30 * 60_000;

/** Why it is too early to run; null = it is not, or another message waits that is not about CI. */
export async function whyEarly(
  messages: readonly CarriedMessage[],
  evidence: Evidence,
  now: number,
): Promise<string | null> {
  if (messages.length === 0) return null;
  for (const { event, receivedAt } of messages) {
    if (event.ci === null || now - receivedAt > LONGEST_WAIT_MS) return null;
    const { running } = await evidence.ci(event.ci.headSha);
    // guard: ci: other checks
    if (running !== true) return null;
  }
  return `CI still runs on ${messages[0]!.event.ci!.headSha.slice(0, 10)}`;
}
