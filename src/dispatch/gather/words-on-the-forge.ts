/** Comments, reviews and descriptions: who wrote them, and which words, as the forge has them. */
import { eventText, isEventTextOf } from '../../forges/event-limits.ts';
import type { Comment, Item } from '../../forges/forge.ts';
import { findMentions } from '../../mentions.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import { changed, type Finding, SECOND_MS, textHash, there, unknown } from './finding.ts';

export interface Words {
  event: ForgeEvent;
  item: Item;
  evidence: Evidence;
  /** of the agent that is woken */
  login: string;
  /** whether a deletion of the comment was heard of and is true */
  wasDeleted: (event: ForgeEvent) => Promise<boolean>;
}

export async function commentOnTheForge({
  event,
  item,
  evidence,
  login,
  wasDeleted,
}: Words): Promise<Finding> {
  const claimed = event.comment!;
  const place = `${evidence.repository.fullName}#${item.number}`;
  const found = await evidence.comment(item.number, claimed.id);
  if (found === null) {
    if (await wasDeleted(event)) return changed(`comment ${claimed.id} was deleted before the run`);
    return unknown(`there is no comment ${claimed.id} on ${place}; it was deleted, or never written`);
  }
  if (found.itemNumber !== item.number) return unknown(`comment ${claimed.id} is not on ${place}`);
  // guard: intake: whose comment
  const { author } = found;
  if (author.id !== claimed.author.id) {
    return unknown(`comment ${claimed.id} was written by ${author.login}, not by ${claimed.author.login}`);
  }
  if (author.id !== event.sender.id) {
    if (event.name === 'comment.created') {
      return unknown(`comment ${claimed.id} was written by ${author.login}, not by ${event.sender.login}`);
    }
    // An edit by somebody else may be true, and nothing on the forge says whose it was.
    return changed(
      `comment ${claimed.id} is by ${author.login}, and the forge does not tell who edits a comment: only its ` +
        "author's own edits wake an agent. Write a comment instead",
    );
  }
  if (event.name === 'comment.edited' && !isEdited(found)) {
    return unknown(`comment ${claimed.id} was never edited`);
  }
  const comment = { id: found.id, body: found.body, htmlUrl: found.htmlUrl, author };
  const words = { ...event, comment, sender: author };
  const isSame = isEventTextOf(claimed.body, found.body);
  // guard: intake: other words
  if (!isSame && !mayHaveBeenEdited(event, found))
    return unknown(`comment ${claimed.id} says something else`);
  const proof = `comment:${found.id}:${event.name === 'comment.created' ? 'created' : found.updatedAt}`;
  const at = event.name === 'comment.created' ? found.createdAt : found.updatedAt;
  if (isSame) return there({ ...words, occurredAt: at }, proof);
  const note = `Comment ${found.id} by ${author.login} was edited after it woke you; you see it as it is now.`;
  return addressed({ ...words, occurredAt: at }, { login, text: found.body, proof, note });
}

function isEdited({ createdAt, updatedAt }: Comment): boolean {
  return Date.parse(updatedAt) - Date.parse(createdAt) > SECOND_MS;
}

/** Other words can only be true where the forge says that they were changed since. */
function mayHaveBeenEdited(event: ForgeEvent, found: Comment): boolean {
  if (event.name === 'comment.created') return isEdited(found);
  // After the edit that the delivery tells of.
  return Date.parse(found.updatedAt) - Date.parse(event.occurredAt) > SECOND_MS;
}

/** What was addressed to the agent must be so in the words of now. */
function addressed(
  event: ForgeEvent,
  { login, text, proof, note }: { login: string; text: string; proof: string; note: string | null },
): Finding {
  const still = findMentions(text);
  const own = login.toLowerCase();
  if (event.mentions.includes(own) && !still.includes(own)) {
    return changed(`the text was edited since, and does not mention ${login} any more`);
  }
  return there({ ...event, mentions: event.mentions.filter((name) => still.includes(name)) }, proof, note);
}

export async function reviewOnTheForge({ event, item, evidence, login }: Words): Promise<Finding> {
  const claimed = event.review!;
  const { sender } = event;
  if (item.pull === null) return unknown(`#${item.number} is an issue, and issues have no reviews`);
  const mine = (await evidence.reviews(item.number)).filter(
    (review) => review.author.id === sender.id && review.verdict === claimed.verdict,
  );
  const found = mine.findLast((review) => isEventTextOf(claimed.body, review.body)) ?? mine.at(-1);
  if (found === undefined) {
    const dismissed = await evidence.dismissed(item.number);
    return dismissed.some((author) => author.id === sender.id)
      ? changed(`the review by ${sender.login} was dismissed`)
      : unknown(`${sender.login} has no review of #${item.number} that says "${claimed.verdict}"`);
  }
  const words = {
    ...event,
    sender: found.author,
    review: { verdict: found.verdict, body: found.body },
  };
  const proof = `review:${found.id}`;
  if (isEventTextOf(claimed.body, found.body)) return there(words, proof);
  const note = `The review by ${found.author.login} says something else than what woke you; you see it as it is now.`;
  return addressed(words, { login, text: found.body, proof, note });
}

/** A mention in a description. Which text of the item is shown is decided for all events alike, by its author. */
export function descriptionOnTheForge({ event, item, login }: Words): Finding {
  const isNew = event.name === 'issue.opened' || event.name === 'pull.opened';
  if (item.author.id !== event.sender.id) {
    if (isNew)
      return unknown(`#${item.number} was opened by ${item.author.login}, not by ${event.sender.login}`);
    return changed(
      `#${item.number} is by ${item.author.login}, and the forge does not tell who edits a description: only its ` +
        "author's own edits wake an agent. Write a comment instead",
    );
  }
  const words = { ...event, sender: item.author };
  const proof = isNew
    ? `opened:${item.number}`
    : `edited:${item.number}:${textHash(item.title, eventText(item.body))}`;
  return addressed(words, { login, text: item.body, proof, note: null });
}
