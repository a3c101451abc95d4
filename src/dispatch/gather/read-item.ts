/** One item as the forge has it now, with what stands on it. */
import { ForgeMissing } from '../../errors.ts';
import type { CiState, Comment, Item, Review } from '../../forges/forge.ts';
import type { EventRepository } from '../../vocabulary.ts';
import type { Evidence } from './evidence.ts';

export interface Found {
  repository: EventRepository;
  item: Item;
  comments: Comment[];
  reviews: Review[];
  ci: CiState;
}

export async function readItem(
  evidence: Evidence,
  { repository, number }: { repository: EventRepository; number: number },
): Promise<Found> {
  const item = await evidence.item(number);
  if (item === null) {
    throw new ForgeMissing(
      `${repository.fullName} has no issue or pull request ${number}. If it was deleted, nothing is left to do.`,
    );
  }
  const [comments, reviews, ci] = await Promise.all([
    evidence.comments(number),
    item.pull === null ? [] : evidence.reviews(number),
    item.pull === null ? noCi : evidence.ci(item.pull.headSha),
  ]);
  return { repository, item, comments, reviews, ci };
}

/** The same, before it is known whether there is such an item. */
export async function readAhead(evidence: Evidence, number: number): Promise<void> {
  const item = await evidence.item(number);
  if (item === null) return;
  await Promise.all([
    evidence.comments(number),
    item.pull === null ? null : evidence.reviews(number),
    item.pull === null ? null : evidence.ci(item.pull.headSha),
  ]);
}

const noCi: CiState = { state: 'none', failed: [] };
