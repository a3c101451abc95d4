/** What a run may read, and what its prompt is made of. */
import type { Snapshot } from '../../flows/changes.ts';
import type { Comment, Item } from '../../forges/forge.ts';
import type { EventRepository } from '../../vocabulary.ts';
import type { Vouching } from '../../voices.ts';
import type { Checkout } from '../../workdir.ts';
import type { Gathered } from '../gather/gather.ts';
import type { CarriedMessage } from '../gather/messages.ts';
import type { WorkBranch } from '../gather/where.ts';
import type { Screened, ScreenedItem, ScreenedReview } from './pinned-text.ts';

/** A dispatch whose texts are screened: its messages and those of `context` are the same. */
export interface Prepared extends Gathered {
  context: DispatchContext;
  /** items as the run saw them when words were handed to it, oldest first */
  later?: readonly ItemShown[];
}

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
  /** of all items */
  messages: CarriedMessage[];
  /** the message whose skill makes the prompt: the most urgent, of those the newest; null when all were withdrawn */
  leading: CarriedMessage | null;
  /** the other items that messages came from: the issue, or pull requests of the same conversation */
  elsewhere: ItemShown[];
  repository: EventRepository;
  checkout: Checkout;
  /** the pull request whose commits stand in the checkout; null = none */
  checkedOut: Item | null;
  /** the branch to push to; null when the work has nowhere to go */
  branch: WorkBranch | null;
}
