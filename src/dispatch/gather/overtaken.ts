/**
 * Whether what a pull request needed when an agent was woken is done by now: an earlier run of the agent, or a person, may
 * have been quicker than the message.
 */
import type { ForgeUser } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import type { CarriedMessage } from './messages.ts';

interface Overtaking {
  evidence: Pick<Evidence, 'item' | 'reviews'>;
  isSelf: (user: ForgeUser) => boolean;
}

/** By message id: a clause for a person that says what has happened. */
export async function overtakenIn(
  messages: readonly CarriedMessage[],
  overtaking: Overtaking,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const message of messages) {
    const why = await whyOvertaken(message, overtaking);
    if (why !== null) found.set(message.id, why);
  }
  return found;
}

async function whyOvertaken(
  { event, with: given }: CarriedMessage,
  { evidence, isSelf }: Overtaking,
): Promise<string | null> {
  const act = actOf(given);
  if (act === null || event.item === null) return null;
  const { number } = event.item;
  const pull = (await evidence.item(number))?.pull ?? null;
  if (pull === null) return null;
  if (pull.merged) return `#${number} is merged`;
  if (act === 'review') {
    const reviews = await evidence.reviews(number);
    const isReviewed = reviews.some(({ author, commitId }) => isSelf(author) && commitId === pull.headSha);
    // guard: team: a head that was reviewed meanwhile
    if (isReviewed) return `${pull.headSha.slice(0, 10)} of #${number} has its review`;
  }
  if (act === 'rebase' && pull.mergeable === true)
    return `#${number} does not conflict with its base any more`;
  return null;
}

/** Set by the router for flows that ask what a pull request needs; null for all others. */
function actOf(given: Record<string, unknown>): string | null {
  const { decision } = given;
  if (typeof decision !== 'object' || decision === null || !('act' in decision)) return null;
  return String(decision.act);
}
