/**
 * What changed on a forge, asked for instead of told: the port that the reconciler looks through. Reads; may be repeated.
 *
 * - Where a kind of forge cannot be asked for changes, every call answers `NotOffered`.
 * - What is answered has the semantic key that the webhook of the same happening has, wherever the forge tells enough.
 *   Where a webhook may say another second or an older text, `likenesses` names it besides.
 */
import type { ForgeEvent, ItemKind, RepositoryRef } from '../vocabulary.ts';
import type { NotOffered } from './not-offered.ts';

export interface ForgeChanges {
  /**
   * Issues and pull requests that changed since then, of every repository that the account sees, or of one owner's: one
   * request for each 50 of them, and one when there is none.
   */
  changedItems(question: { since: string; owner: string | null }): Promise<ChangedItems | NotOffered>;
  /** Open items in which this account is assigned, or asked for a review, in every repository. */
  openForSelf(what: 'assigned' | 'review-requested'): Promise<ChangedItems | NotOffered>;
  /** Comments written or edited since then: it finds edits, which change nothing on their item. */
  changedComments(repository: RepositoryRef, since: string): Promise<ChangedComments | NotOffered>;
  /** What happened on one item since then, oldest first. */
  history(question: HistoryQuestion): Promise<Happened[] | NotOffered>;
  /** Results of CI on one commit; `isOver`: nothing runs on it any more, and something did. */
  ciResults(
    question: CiQuestion,
  ): Promise<{ kind: 'results'; happened: Happened[]; isOver: boolean } | NotOffered>;
}

/** That a description was edited shows only in what it says, so `seenText` is what was last seen; null = nothing. */
export interface HistoryQuestion {
  /** the configured name of the forge */
  forge: string;
  repository: RepositoryRef;
  number: number;
  since: string;
  seenText: SeenText | null;
}

/** A description as an event showed it last. */
export interface SeenText {
  /** of `eventText` */
  digest: string;
  mentions: string[];
}

export interface CiQuestion {
  forge: string;
  repository: RepositoryRef;
  sha: string;
}

export interface ChangedItems {
  kind: 'items';
  items: ChangedItem[];
  /** unix ms by the forge's clock, when it answered; null when it does not say */
  at: number | null;
  /** there are more than were read: ask for each owner, or for a later time */
  isCutShort: boolean;
}

export interface ChangedItem {
  repository: RepositoryRef;
  kind: ItemKind;
  number: number;
  title: string;
  updatedAt: string;
}

export interface ChangedComments {
  kind: 'comments';
  /** numbers of the items they are on */
  numbers: number[];
  at: number | null;
}

/** An event that was found, and what else its webhook may look like. */
export interface Happened {
  event: ForgeEvent;
  /** beside that of the event itself; see `likeness.ts`. `at`: RFC 3339 */
  likenesses: { likeness: string; at: string }[];
  /** the forge does not tell who edits a text: the sender is its author, who need not have done it */
  isSenderAssumed?: true;
  /** told where the event itself is known: its text was told as it was then, and says something else by now */
  editedSince?: Happened;
}
